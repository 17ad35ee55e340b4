// Small errands in the browser that package canvas asks for. In Go they would
// add to the program that is downloaded and say the same at greater length.
"use strict";
(() => {
  const root = document.documentElement;

  // sluiceTheme goes from the colours in use to the other ones.
  window.sluiceTheme = () => {
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    try {
      localStorage.setItem("sluice-theme", next);
    } catch {
      // Storage may be full or forbidden: the choice lasts as long as the page.
    }
  };

  // sluiceSave gives the person a file.
  window.sluiceSave = (name, type, bytes) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // sluiceShare puts a query in the address, copies the address and tells of it.
  window.sluiceShare = async (query, tell) => {
    const link = location.origin + location.pathname + (query && `?${query}`);
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(link);
      tell(`Copied: ${link}`);
    } catch {
      tell(`The address now holds this scenario: ${link}`);
    }
  };

  // sluiceRead reads a file for its bytes, or tells why it cannot.
  window.sluiceRead = async (file, done, failed) => {
    try {
      done(new Uint8Array(await file.arrayBuffer()));
    } catch (err) {
      failed(String(err));
    }
  };

  // sluiceCharts loads the charts' library, which Start does not wait for, and
  // tells whether it came.
  window.sluiceCharts = (done) => {
    const script = document.createElement("script");
    script.src = window.goappGetenv("uplot.js");
    script.addEventListener("load", () => done(true));
    script.addEventListener("error", () => done(false));
    document.head.append(script);
  };

  // sluiceSource fetches the source of a file as the build has highlighted it.
  window.sluiceSource = async (name, done) => {
    try {
      const answer = await fetch(window.goappGetenv(`code/${name}.html`));
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      done(name, await answer.text(), "");
    } catch (err) {
      done(name, "", err.message);
    }
  };
})();
