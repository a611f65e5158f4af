// The page: what the daemon tells goes to its parts; keys; themes.

import { get, make, offer, soon } from "./element.js";
import { Faults } from "./faults.js";
import { Log } from "./log.js";
import { Picture } from "./picture.js";

const pieces = new Map();
const log = new Log();
const faults = new Faults();
const picture = new Picture(showDevice);

// -- what is told -----------------------------------------------------------------------------------------

const stream = new EventSource("events");
stream.addEventListener("open", () => {
  pieces.clear();
  picture.clear();
  status("on", "live");
});
stream.addEventListener("error", () => {
  status("off", stream.readyState === EventSource.CLOSED ? "the daemon has ended" : "no daemon, trying again");
});
stream.addEventListener("pieces", (event) => {
  const { set, gone } = JSON.parse(event.data);
  for (const key of gone) {
    pieces.delete(key);
    picture.gone(key);
  }
  for (const [key, piece] of Object.entries(set)) {
    pieces.set(key, piece);
    if (key === "kernel") get("kernel").textContent = `Linux ${piece.name}`;
    else if (key === "figures") showFigures(piece);
    else if (key === "faults") faults.show(piece);
    else picture.set(key, piece);
  }
});
stream.addEventListener("messages", (event) => {
  const { lines, lost } = JSON.parse(event.data);
  log.add(lines, lost);
});

function status(state, text) {
  get("status").dataset.state = state;
  get("status").textContent = text;
}

const names = soon(() => {
  offer(get("device-names"), [...new Set([...picture.devices.values()].map(({ piece }) => piece.name))].slice(0, 500));
  offer(get("fault-netns"), [...picture.namespaces.keys()], 1);
  const leases = picture.leases();
  get("leases").hidden = !leases.length;
  get("leases-list").replaceChildren(...leases.map(([lender, queue, lessee, as]) =>
    make("tr", {}, make("td", { text: `${lender} ${queue}` }), make("td", { text: `${lessee} ${as}` }))));
});
picture.onrender = names;

function showFigures({ requests, refusals, ...figures }) {
  const shown = Object.entries(figures).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((one) => [name, one]) : [[name, number(value)]]);
  get("figures").replaceChildren(...shown.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })]));
  get("requests").hidden = !Object.keys(requests).length;
  get("requests-list").replaceChildren(...Object.entries(requests).map(([name, count]) => {
    const refused = refusals.filter(([one]) => one === name).map(([, errno, many]) => `${number(many)} ${errno}`);
    return make("tr", {}, make("td", { text: name }), make("td", { text: number(count) }), make("td", { text: refused.join(", ") }));
  }));
}

const number = (value) => value.toLocaleString("en");

// -- a device ---------------------------------------------------------------------------------------------

function showDevice(piece, told) {
  const panel = get("details");
  panel.hidden = piece === null;
  if (piece === null) return;
  get("details-title").textContent = `${piece.netns}/${piece.name}`;
  get("details-list").replaceChildren(...Object.entries(told).flatMap(([name, value]) =>
    [make("dt", { text: name.replaceAll("_", " ") }), make("dd", { text: words(value) })]));
}

/** A value as people read it. */
function words(value) {
  if (Array.isArray(value)) return value.map(words).join(typeof value[0] === "object" ? "\n" : " ").toLowerCase();
  if (value === null || typeof value !== "object") return String(value);
  return Object.entries(value).map(([name, one]) => `${name.replaceAll("_", " ")} ${words(one)}`).join(", ");
}

get("details-close").addEventListener("click", closeDetails);

function closeDetails() {
  const box = picture.devices.get(picture.chosen)?.box;
  picture.choose(null);
  box?.focus();
}

// -- the theme --------------------------------------------------------------------------------------------

const theme = get("theme");
theme.value = document.documentElement.dataset.theme ?? "auto";
theme.addEventListener("change", () => setTheme(theme.value));

function setTheme(name) {
  theme.value = name;
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  localStorage.setItem("nlemu-theme", name);
}

function isDark() {
  return theme.value === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : theme.value === "dark";
}

// -- keys -------------------------------------------------------------------------------------------------

const keys = {
  1: () => go("picture", '#tree [tabindex="0"]'),
  2: () => go("messages", '#log .row[tabindex="0"]'),
  3: () => go("faults"),
  4: () => go("counters"),
  f: () => get("find").focus(),
  "/": () => get("by-text").focus(),
  p: () => log.pause(),
  t: () => setTheme(isDark() ? "light" : "dark"),
  "?": () => get("keys").showModal(),
};

/** Puts the focus into a section: on what can be walked through there, or else on itself. */
function go(id, inside) {
  get(id).scrollIntoView({ block: "nearest" });
  const found = inside && document.querySelector(inside);
  (found?.offsetParent ? found : get(id)).focus();
}

const single = get("single-keys");
single.checked = localStorage.getItem("nlemu-keys") !== "off";
single.addEventListener("change", () => localStorage.setItem("nlemu-keys", single.checked ? "on" : "off"));
get("help").addEventListener("click", keys["?"]);

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "Escape" && !get("keys").open) {
    if (typing && event.target.value && event.target.type === "search") return; // the browser empties it
    if (typing) event.target.blur();
    else if (!get("details").hidden) closeDetails();
    return;
  }
  if (typing || event.ctrlKey || event.altKey || event.metaKey || get("keys").open || !single.checked) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
