// Keeps a copy of the site, so that it opens without a network. The page
// itself comes from the network first: a new version shows on reload, and
// brings the names of its own files with it.
"use strict";
const version = "{{.Version}}";
const files = {{.Files}};

const prefix = `sluice ${registration.scope} `;
const cacheName = prefix + version;
const page = new URL("./", registration.scope).href;

self.addEventListener("install", (event) => {
  event.waitUntil(install().then(() => self.skipWaiting()));
});

async function install() {
  const cache = await caches.open(cacheName);
  await Promise.all(["./", ...files].map(async (name) => {
    const url = new URL(name, registration.scope).href;
    // A name with a hash may come from wherever the bytes already are.
    const hashed = /\.[0-9a-f]{12}\.[a-z]+$/.test(name);
    const held = hashed && await caches.match(url);
    const response = held || await fetch(url, { cache: hashed ? "default" : "no-cache" });
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    await cache.put(url, response);
  }));
}

self.addEventListener("activate", (event) => {
  event.waitUntil(clean().then(() => self.clients.claim()));
});

async function clean() {
  for (const name of await caches.keys()) {
    if (name.startsWith(prefix) && name !== cacheName) await caches.delete(name);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(registration.scope)) return;
  event.respondWith(request.mode === "navigate" ? networkFirst(request) : cacheFirst(request));
});

async function cacheFirst(request) {
  const cache = await caches.open(cacheName);
  return await cache.match(request) || fetch(request);
}

async function networkFirst(request) {
  const cache = await caches.open(cacheName);
  const url = new URL(request.url);
  url.search = url.hash = "";
  if (url.href === page + "index.html") url.href = page;
  const held = await cache.match(url.href);
  if (!held) return fetch(request);
  const late = new Promise((done) => setTimeout(done, 4000, held));
  const fresh = fetch(request).then((r) => r.status < 500 ? r : held, () => held);
  return Promise.race([fresh, late]);
}
