// The keys of a page: its list, its search, its filters. The page brings its state and what shows it.

const keys = ({ state, list, choose, refresh, showAll }) => {
  const step = (by) => { if (state.list.length > 0) choose(Math.min(Math.max(state.at + by, 0), state.list.length - 1)); };
  const page = () => Math.max(Math.floor(list.box.clientHeight / ROW_HEIGHT) - 1, 1);
  const toggleTheme = themes();
  const openKeys = () => { if (!byId("keys").open) byId("keys").showModal(); };
  const acts = {
    "/": () => { byId("search").focus(); byId("search").select(); },
    j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), PageDown: () => step(page()), PageUp: () => step(-page()),
    g: () => step(-Infinity), G: () => step(Infinity), Home: () => step(-Infinity), End: () => step(Infinity),
    Enter: () => byId("detail").focus(), Escape: () => list.box.focus(), a: showAll, d: toggleTheme, "?": openKeys,
    c: () => { byId("charts").open = !byId("charts").open; },
  };
  const scrolls = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"];
  const inSearch = (event) => {
    if (event.key === "Escape" && byId("search").value === "") list.box.focus();
    else if (event.key === "Escape") { byId("search").value = ""; state.words = []; refresh(); }
    else if (event.key === "Enter" || event.key === "ArrowDown") list.box.focus();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    if (event.target === byId("search")) { inSearch(event); return; }
    const control = event.target.closest?.("button, select, summary, a, input");
    if (control && (event.key === "Enter" || scrolls.includes(event.key))) return;
    // Within the details these keys scroll, as everywhere.
    if (scrolls.includes(event.key) && byId("detail").contains(event.target)) return;
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  });
  byId("theme").addEventListener("click", toggleTheme);
  byId("help").addEventListener("click", openKeys);
};
