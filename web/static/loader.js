// Starts the Go program and says how far it is, or in words why it cannot
// run. It stands in for go-app's app.js, which covers the page while it loads
// and shows a bare exception when it fails.
"use strict";
(() => {
  const script = document.currentScript;
  const files = JSON.parse(script.dataset.files); // name -> URL with the content's hash
  const size = Number(script.dataset.wasmSize); // uncompressed, as the stream is counted
  const base = new URL(".", document.baseURI).pathname;

  // What go-app's client looks up.
  const env = {
    GOAPP_ROOT_PREFIX: base,
    GOAPP_STATIC_RESOURCES_URL: base.slice(0, -1),
    GOAPP_INTERNAL_URLS: "[]",
  };
  window.goappGetenv = (key) => env[key] ?? files[key] ?? "";
  window.goappNav = () => {};
  window.goappOnUpdate = () => { window.goappUpdatedBeforeWasmLoaded = true; };
  window.goappOnAppInstallChange = () => {};

  // go-app asks for both storages, and would not start where they are denied.
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      void window[name];
    } catch {
      Object.defineProperty(window, name, { value: forgetful() });
    }
  }

  function forgetful() {
    const items = new Map();
    return {
      get length() { return items.size; },
      key: (n) => [...items.keys()][n] ?? null,
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => { items.set(key, String(value)); },
      removeItem: (key) => { items.delete(key); },
      clear: () => { items.clear(); },
    };
  }

  class Failure extends Error {}

  const parsed = new Promise((done) => {
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", done, { once: true });
    } else {
      done();
    }
  });
  const element = (id) => document.getElementById(id);
  const megabytes = (n) => (n / 1e6).toFixed(1);

  let loaded = 0;
  let drawing = false;
  function progress() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      if (element("app-wasm-loader")?.dataset.state !== "loading") return;
      const part = Math.min(1, loaded / size);
      element("loader-progress").value = part;
      element("app-wasm-loader-label").textContent = part < 1
        ? `Loading the Go program: ${Math.floor(part * 100)}% of ${megabytes(size)} MB`
        : "Starting the Go program";
    });
  }

  async function fail(message) {
    await parsed;
    const loader = element("app-wasm-loader");
    loader.dataset.state = "failed";
    loader.setAttribute("role", "alert");
    loader.hidden = false;
    element("app-wasm-loader-label").textContent = message;
  }

  let blocked = false;
  document.addEventListener("securitypolicyviolation", (e) => {
    if (e.blockedURI === "wasm-eval") blocked = true;
  });

  // count follows a copy of the stream: only the response as it was fetched
  // may be compiled from the browser's code cache. To read it costs time, so what
  // comes at once, as from the service worker, is not told of.
  let compiled = false;
  async function count(stream) {
    await new Promise((done) => setTimeout(done, 200));
    if (compiled) return stream.cancel();
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      loaded += value.byteLength;
      progress();
    }
  }

  async function download() {
    let response;
    try {
      response = await fetch(files["app.wasm"]);
    } catch {
      throw new Failure("The Go program could not be downloaded: no answer from the server. Is the network there?");
    }
    if (!response.ok) {
      throw new Failure(`The Go program could not be downloaded: the server answered ${response.status} ${response.statusText}.`);
    }
    return response;
  }

  async function compile(response) {
    const counted = count(response.clone().body);
    counted.catch(() => {}); // the compiler meets the same broken stream
    try {
      if (response.headers.get("Content-Type") === "application/wasm" && WebAssembly.compileStreaming) {
        return await WebAssembly.compileStreaming(response);
      }
      return await WebAssembly.compile(await response.arrayBuffer());
    } catch (err) {
      const whole = await counted.then(() => loaded >= size, () => false);
      if (blocked || /Content.Security.Policy|unsafe-eval/i.test(err.message)) {
        throw new Failure("WebAssembly is forbidden here: the server's Content-Security-Policy has to allow 'wasm-unsafe-eval' in script-src.");
      }
      if (!whole) {
        throw new Failure(`The download of the Go program broke off after ${megabytes(loaded)} of ${megabytes(size)} MB.`);
      }
      if (err instanceof WebAssembly.CompileError) {
        throw new Failure(`What was downloaded is not the Go program, or this browser is too old for it: ${err.message}`);
      }
      throw err;
    }
  }

  async function start() {
    if (typeof WebAssembly !== "object") {
      throw new Failure("This browser has no WebAssembly, or it is switched off. Sluice needs it to run Go; every current browser has it.");
    }
    const module = await compile(await download());
    compiled = true;
    await parsed; // the program takes its page from the document
    const go = new Go();
    let code = 0;
    go.exit = (c) => { code = c; };
    let instance;
    try {
      instance = await WebAssembly.instantiate(module, go.importObject);
    } catch (err) {
      if (err instanceof RangeError) {
        throw new Failure(`There is not enough memory to start the Go program: ${err.message}`);
      }
      throw err;
    }
    const exited = go.run(instance); // returns at the program's first wait, with the page mounted
    if (element("app-wasm-loader").dataset.state === "loading") {
      element("app-wasm-loader").hidden = true;
    }
    watchWorker(); // not before: its copies of the files would delay the program
    await exited;
    throw new Failure(`The Go program has ended with exit code ${code}. The browser's console says why.`);
  }

  async function watchWorker() {
    if (!("serviceWorker" in navigator)) return;
    try {
      const registration = await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
      window.goappTryUpdate = () => registration.update();
      registration.addEventListener("updatefound", () => {
        const worker = registration.installing;
        worker.addEventListener("statechange", () => {
          if (worker.state === "activated" && navigator.serviceWorker.controller) window.goappOnUpdate();
        });
      });
    } catch {
      // Only the offline copy is missing: private windows and plain http have none.
    }
  }

  parsed.then(() => {
    element("loader-retry").addEventListener("click", () => location.reload());
  });
  start().catch((err) => {
    fail(err instanceof Failure ? err.message : `The Go program cannot start: ${err}`);
  });
})();
