// Builds the page's elements. Data become text nodes and attribute values only, so names cannot inject HTML.

/** Creates an element with attributes and children. A child is a node or text; null and false are omitted. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Creates text for screen readers only. */
export function spoken(text) {
  return element("span", { class: "visually-hidden" }, text);
}

/** Sets a CSS variable of an element. The content security policy forbids style attributes, but allows this. */
export function withVariable(node, name, value) {
  node.style.setProperty(name, value);
  return node;
}
