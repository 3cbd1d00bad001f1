/**
 * Keeps the site's own files on the device, so that it works with the network and the server gone.
 *
 * Only files that site-files.json lists are kept, each under the hash that is written there: a new version is taken
 * whole or not at all. Nothing that a person opens or makes ever passes here.
 */

const worker = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = "caseveil-";
const LIST = "site-files.json";

interface Site {
  version: string;
  files: { path: string; sha256: string }[];
}

async function sum(bytes: ArrayBuffer): Promise<string> {
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function at(path: string): string {
  return new URL(path, worker.registration.scope).href;
}

/** The whole new version, or nothing. Its list goes in last: a cache without one is not whole. */
async function take(): Promise<void> {
  const response = await fetch(at(LIST), { cache: "no-store" });
  if (!response.ok) throw new Error("the site has no list of its files");
  const listed = await response.clone().arrayBuffer();
  const name = `${PREFIX}${(await sum(listed)).slice(0, 16)}`;
  const cache = await caches.open(name);
  if (await cache.match(at(LIST))) return;
  for (const { path, sha256 } of (JSON.parse(new TextDecoder().decode(listed)) as Site).files) {
    const file = await fetch(at(path), { cache: "no-cache" });
    const bytes = await file.clone().arrayBuffer();
    if (!file.ok || (await sum(bytes)) !== sha256) throw new Error(`${path} is not the file that the site lists`);
    const keep = new Response(bytes, { headers: file.headers });
    await cache.put(at(path), keep.clone());
    if (path === "index.html") await cache.put(at("./"), keep);
  }
  await cache.put(at(LIST), response);
}

/** Whole caches, the newest first. */
async function whole(): Promise<string[]> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX)).reverse();
  const kept = await Promise.all(names.map(async (name) => (await (await caches.open(name)).match(at(LIST))) !== undefined));
  return names.filter((_, i) => kept[i]);
}

async function answer(request: Request): Promise<Response> {
  const [newest, ...older] = await whole();
  if (request.mode === "navigate") await Promise.all(older.map((name) => caches.delete(name)));
  const kept = newest ? await (await caches.open(newest)).match(request, { ignoreSearch: true }) : undefined;
  return kept ?? fetch(request);
}

worker.addEventListener("install", (event) => event.waitUntil(take().then(() => worker.skipWaiting())));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(worker.registration.scope)) return;
  event.respondWith(answer(request));
  // A new version is fetched behind the page, and shown at the next visit.
  if (request.mode === "navigate") event.waitUntil(take().catch(() => undefined));
});
