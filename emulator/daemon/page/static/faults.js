// Faults: those that wait, each with a way to take it away, and a form for another one.

import { ask, get, make, offer } from "./element.js";

export class Faults {
  constructor() {
    this.form = get("fault-form");
    this.form.addEventListener("submit", (event) => this.#set(event));
    get("fault-what").addEventListener("change", () => this.#fit());
    get("heal-all").addEventListener("click", () => this.#do({ heal: true }));
    get("fault-operation").addEventListener("focus", () => this.#offer(), { once: true });
  }

  /** These wait, or have struck. */
  show(faults) {
    get("heal-all").hidden = faults.length < 2;
    get("fault-list").replaceChildren(...faults.map((fault) => this.#item(fault)));
  }

  #item(fault) {
    const button = make("button", { type: "button", text: "Take away", "aria-label": `Take fault ${fault.name} away` });
    button.addEventListener("click", async () => {
      await this.#do({ heal: fault.name });
      get("faults").focus();
    });
    const left = fault.left === null ? "for always" : `${fault.left} to come`;
    return make("li", {}, make("div", {}, make("b", { text: effect(fault) }),
      make("p", { text: [...whom(fault.step), `struck ${fault.struck}, ${left}`].join(" · ") })), button);
  }

  async #offer() {
    const families = await ask("operations");
    offer(get("operations"), Object.entries(families).flatMap(([family, names]) =>
      names.map((name) => (family === "ioctl" ? name : `${family}.${name}`))));
  }

  #fit() {
    const refused = get("fault-what").value === "fault";
    get("fault-errno-field").hidden = get("fault-text-field").hidden = !refused;
  }

  #set(event) {
    event.preventDefault();
    const value = (id) => get(`fault-${id}`).value.trim();
    const [what, operation] = [value("what"), value("operation")];
    const line = what === "fault" ? { fault: operation, errno: value("errno"), text: value("text") }
      : what === "interrupt" ? { interrupt: operation } : { notice: operation, fate: what };
    if (!line.text) delete line.text;
    if (value("count") !== "") line.count = Number(value("count"));
    if (value("netns")) line.netns = value("netns");
    if (value("device")) line.device = value("device");
    this.#do(line);
  }

  async #do(line) {
    const wrong = get("fault-error");
    try {
      wrong.textContent = "";
      await ask("faults", line);
    } catch (error) {
      wrong.textContent = error.message;
    }
  }
}

/** What a fault does to what, in a few words. */
function effect({ step, kind }) {
  const operation = step.fault ?? step.interrupt ?? step.notice;
  return step.errno ? `${operation} → ${step.errno}` : `${operation}: ${kind}`;
}

/** Whom it is for, and how. */
function whom(step) {
  const said = [];
  if (step.text) said.push(`“${step.text}”`);
  for (const name of ["netns", "port", "device", "skip", "chance", "after", "split", "seconds"]) {
    if (step[name] !== undefined) said.push(`${name} ${step[name]}`);
  }
  for (const [name, value] of Object.entries(step.where ?? {})) said.push(`${name} ${value}`);
  return said;
}
