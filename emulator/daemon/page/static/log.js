// The messages: kept up to a number, filtered here, and drawn a screenful at a time, however fast they come.

import { ask, get, make, offer, soon } from "./element.js";

const KEPT = 2000;
const DRAWN = 300;
const WAYS = { ask: "→", answer: "←", ack: "←", error: "←", told: "∗", odd: "?" };
const WORDS = { ask: "asks", answer: "answer", ack: "ack", error: "error", told: "told", odd: "odd" };

export class Log {
  constructor() {
    this.list = get("log");
    this.lines = [];
    this.fresh = [];
    this.last = 0;
    this.lost = 0;
    this.paused = 0;
    this.families = new Set();
    this.errnos = new Set();
    this.open = new Map(); // number -> what there is to say of it
    this.draw = soon(() => this.#draw());
    for (const id of ["by-text", "by-family", "by-errno", "by-device"]) get(id).addEventListener("input", () => this.#anew());
    get("clear").addEventListener("click", () => this.clear());
    get("pause").addEventListener("click", () => this.pause());
    document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.#toggle(event.target.closest(".row")));
    this.list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Messages came, and so many were missed before them. */
  add(lines, lost) {
    const news = lines.filter((line) => line.number > this.last);
    if (!news.length) return;
    if (lost) {
      this.lost += lost;
      news.unshift({ lost });
    }
    this.last = news.at(-1).number;
    for (const line of news) {
      this.#learn(this.families, line.family, "by-family", 1);
      this.#learn(this.errnos, line.errno, "by-errno", 2);
    }
    this.lines.push(...news);
    this.fresh.push(...news);
    if (this.lines.length > KEPT) this.lines.splice(0, this.lines.length - KEPT);
    this.draw();
  }

  /** What stands there is forgotten. */
  clear() {
    this.lines = [];
    this.lost = 0;
    this.#anew();
  }

  /** Nothing moves until it is called again. */
  pause() {
    this.paused = this.paused ? 0 : this.last || -1;
    get("pause").setAttribute("aria-pressed", String(Boolean(this.paused)));
    if (!this.paused) this.#anew();
    this.draw();
  }

  #learn(known, name, id, kept) {
    if (!name || known.has(name)) return;
    known.add(name);
    offer(get(id), [...known].sort(), kept);
  }

  /** A function that says whether a line is wanted. */
  #wanted() {
    const text = get("by-text").value.trim().toLowerCase();
    const [family, wrong, device] = [get("by-family").value, get("by-errno").value, get("by-device").value.trim()];
    if (!text && !family && !wrong && !device) return () => true;
    return (line) => {
      if (line.lost) return false;
      if (family && line.family !== family) return false;
      if (wrong && (wrong === "any" ? !line.errno : line.errno !== wrong)) return false;
      if (device && !(line.devices ?? []).includes(device)) return false;
      line.all ??= `${line.netns} ${line.port} ${line.title} ${line.text} ${line.errno ?? ""} ${line.says ?? ""}`.toLowerCase();
      return !text || line.all.includes(text);
    };
  }

  /** Draws what is wanted of all that is kept. */
  #anew() {
    this.fresh = this.lines.slice();
    this.list.replaceChildren();
    this.shown = 0;
    this.draw();
  }

  #draw() {
    if (this.paused) {
      const news = this.fresh.filter((line) => line.number > this.paused).length;
      get("pause").textContent = news ? `Go on, ${news} new` : "Go on";
      if (news === this.fresh.length) return;
    } else {
      get("pause").textContent = "Pause";
    }
    const limit = this.paused || Infinity;
    const wanted = this.#wanted();
    const now = this.fresh.filter((line) => (line.number ?? 0) <= limit && wanted(line)).slice(-DRAWN);
    this.fresh = this.paused ? this.fresh.filter((line) => line.number > limit) : [];
    const follow = this.list.hidden || this.list.scrollTop + this.list.clientHeight >= this.list.scrollHeight - 8;
    this.list.append(...now.map((line) => this.#row(line)));
    while (this.list.children.length > DRAWN) this.list.firstElementChild.remove();
    if (!this.list.querySelector('.row[tabindex="0"]')) this.list.querySelector(".row")?.setAttribute("tabindex", 0);
    this.#count(wanted);
    if (follow) this.list.scrollTop = this.list.scrollHeight;
  }

  #count(wanted) {
    const messages = this.lines.filter((line) => !line.lost);
    const found = messages.filter(wanted).length;
    const parts = [found === messages.length ? `${found}` : `${found} of ${messages.length}`];
    if (found > DRAWN) parts.push(`the last ${DRAWN} shown`);
    if (this.lost) parts.push(`${this.lost} missed`);
    get("messages-count").textContent = parts.join(", ");
    const empty = get("log-empty");
    empty.hidden = found > 0;
    this.list.hidden = found === 0;
    empty.textContent = messages.length ? "Nothing of what was said is like that." : "Nothing has been said since this page was opened.";
  }

  #row(line) {
    if (line.lost) return make("li", { class: "gap", text: `${line.lost} messages were missed: they came faster than this page reads` });
    const when = new Date(line.time);
    const time = `${when.toTimeString().slice(0, 8)}.${String(line.time % 1000).padStart(3, "0")}`;
    const row = make("button", {
      type: "button", class: `row ${line.kind}`, tabindex: -1, "aria-expanded": "false", "data-number": line.number,
    }, make("time", { text: time }),
      make("span", { class: "who", text: line.port ? `${line.netns} ${line.port}` : line.netns }),
      make("span", { class: "way", text: WAYS[line.kind], title: WORDS[line.kind], "aria-label": WORDS[line.kind] }),
      make("span", { class: "what" }, make("b", { text: line.title }), " ", make("span", { text: line.says ?? line.text })),
      line.errno ? make("span", { class: "badge", text: line.errno }) : null);
    return make("li", {}, row);
  }

  async #toggle(row) {
    if (!row) return;
    const open = row.getAttribute("aria-expanded") === "true";
    row.setAttribute("aria-expanded", String(!open));
    this.#focus(row);
    if (open) return row.nextElementSibling?.remove();
    const told = make("pre", { tabindex: -1 });
    row.after(told);
    try {
      told.textContent = (await ask(`message/${row.dataset.number}`)).join("\n");
    } catch (error) {
      told.textContent = error.message;
    }
    told.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const rows = [...this.list.querySelectorAll(".row")];
    const at = rows.indexOf(event.target);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    if (at < 0 || !(event.key in moves)) return;
    event.preventDefault();
    this.#focus(rows[moves[event.key]]);
  }

  #focus(row) {
    if (!row) return;
    this.list.querySelector('.row[tabindex="0"]')?.setAttribute("tabindex", -1);
    row.setAttribute("tabindex", 0);
    row.focus();
  }
}
