// Light or dark: as the system says, until the reader chooses.

const themes = () => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const kept = () => { try { return localStorage.getItem("flowproof-theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("flowproof-theme", theme); } catch { /* a file on disk may keep nothing */ } };
  if (["light", "dark"].includes(kept())) root.dataset.theme = kept();
  return () => {
    const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    keep(root.dataset.theme);
  };
};
