// A list of any length: only the rows in sight are elements.

const ROW_HEIGHT = 52;
const AROUND = 6;

const virtualList = (parent, { label, render, select }) => {
  const inner = make("div", { class: "rows", role: "presentation" });
  const box = make("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": label }, inner);
  let [items, selected, waiting] = [[], -1, false];
  const paint = () => {
    waiting = false;
    const first = Math.max(Math.floor(box.scrollTop / ROW_HEIGHT) - AROUND, 0);
    const last = Math.min(Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + AROUND, items.length);
    const rows = [];
    for (let at = first; at < last; at += 1) {
      const row = render(items[at]);
      fill(row, { id: `row-${at}`, role: "option", "aria-selected": at === selected ? "true" : "false", "aria-setsize": items.length, "aria-posinset": at + 1, click: () => select(at) }, []);
      row.style.top = `${at * ROW_HEIGHT}px`;
      rows.push(row);
    }
    inner.replaceChildren(...rows);
    if (selected >= first && selected < last) box.setAttribute("aria-activedescendant", `row-${selected}`);
    else box.removeAttribute("aria-activedescendant");
  };
  const later = () => {
    if (!waiting) requestAnimationFrame(paint);
    waiting = true;
  };
  box.addEventListener("scroll", later, { passive: true });
  new ResizeObserver(later).observe(box);
  parent.append(box);
  const reveal = (at) => {
    const top = at * ROW_HEIGHT;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_HEIGHT > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_HEIGHT - box.clientHeight;
  };
  return {
    box,
    show(list) {
      [items, selected] = [list, -1];
      inner.style.height = `${list.length * ROW_HEIGHT}px`;
      box.scrollTop = 0;
      paint();
    },
    mark(at) {
      selected = at;
      if (at >= 0) reveal(at);
      paint();
    },
  };
};
