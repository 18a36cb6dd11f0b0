// Builds the page's elements. Data enters as text nodes and attribute values only, so that a name may hold anything.

/** An element with attributes and children; a child is a node or text, and null or false is left out. */
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

/** Text that only screen readers read. */
export function spoken(text) {
  return element("span", { class: "visually-hidden" }, text);
}

/** The same element with a number for the style sheet: the policy forbids style attributes, not this. */
export function withVariable(node, name, value) {
  node.style.setProperty(name, value);
  return node;
}
