// Elements, made by their names. What a machine says is only ever text: nothing here becomes markup.

/** The element of that id. */
export const get = (id) => document.getElementById(id);

/** An element with attributes (`class`, `text`, or any other) and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An element of SVG. */
export function draw(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Calls a function once before the next frame, however often it was asked to. */
export function soon(call) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      call();
    });
  };
}

/** The options of a list of suggestions, or of a choice behind its first `kept` ones. */
export function offer(list, values, kept = 0) {
  const chosen = list.value;
  while (list.children.length > kept) list.lastElementChild.remove();
  list.append(...values.map((value) => make("option", { value, text: value })));
  if (chosen !== undefined) list.value = chosen;
}

/** What an address below the page's says, as JSON. Throws an Error with the reason. */
export async function ask(path, body) {
  const request = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(path, request);
  const told = await answer.text();
  if (answer.headers.get("Content-Type") !== "application/json") throw new Error(told.trim());
  const value = JSON.parse(told);
  if (!answer.ok) throw new Error(value.error);
  return value;
}

/** A place below the page whose parts may hold anything. */
export const path = (...parts) => parts.map(encodeURIComponent).join("/");
