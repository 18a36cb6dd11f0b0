// A type-ahead field: the ARIA combobox pattern with a listbox, in which focus stays in the field.

import { element } from "./elements.js";
import { Latest } from "./api.js";

const TYPING_PAUSE = 90; // milliseconds without a key before the options are requested

function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

/**
 * Options are {value, label, note?}. `find(query, signal)` returns those that match. `choose(option)` is called when a
 * person picks an option, not by `set`.
 */
export class Combobox {
  #input;
  #popup;
  #list;
  #note;
  #find;
  #choose;
  #latest = new Latest();
  #options = [];
  #active = -1;
  #timer = 0;
  #choice = null;
  #isSearching = false;
  #picksWhenFound = false;

  constructor(input, { find, choose }) {
    this.#input = input;
    this.#popup = input.parentElement.querySelector(".popup");
    this.#list = this.#popup.querySelector("[role=listbox]");
    this.#note = this.#popup.querySelector(".popup-note");
    this.#find = find;
    this.#choose = choose;
    input.addEventListener("input", () => this.#typed());
    input.addEventListener("keydown", (event) => this.#pressed(event));
    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => this.#clicked());
    input.addEventListener("blur", () => this.#left());
    // A press on an option must not take the focus out of the field.
    this.#popup.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#popup.addEventListener("mousedown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const item = event.target.closest("[role=option]");
      if (item) this.#pick(this.#options[[...this.#list.children].indexOf(item)]);
    });
  }

  /** The value of the chosen option, or the text as typed. */
  get value() {
    return this.#choice?.label.trim() === this.text ? this.#choice.value : this.text;
  }

  get text() {
    return this.#input.value.trim();
  }

  get input() {
    return this.#input;
  }

  /** Fills the field with an option, or with null empties it. */
  set(option) {
    this.#choice = option;
    this.#input.value = option?.label ?? "";
    this.mark(null);
    this.#close();
  }

  /** Marks the field as invalid, with the id of the element that describes the error; null removes the mark. */
  mark(describedBy) {
    if (describedBy === null) {
      this.#input.removeAttribute("aria-invalid");
      this.#input.removeAttribute("aria-describedby");
    } else {
      this.#input.setAttribute("aria-invalid", "true");
      this.#input.setAttribute("aria-describedby", describedBy);
    }
  }

  get #isOpen() {
    return !this.#popup.hidden;
  }

  #clicked() {
    if (this.#isOpen) return;
    this.#input.select();
    this.#open("");
  }

  #typed() {
    this.mark(null);
    this.#stop();
    this.#activate(-1);
    this.#isSearching = true;
    this.#timer = setTimeout(() => this.#open(this.text), TYPING_PAUSE);
  }

  async #open(query, activate = "match") {
    clearTimeout(this.#timer);
    this.#isSearching = true;
    const signal = this.#latest.next();
    this.#popup.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    if (!this.#options.length) this.#show([], "Searching…");
    try {
      const options = await this.#find(query, signal);
      if (signal.aborted) return;
      this.#isSearching = false;
      this.#show(options, options.length ? "" : `Nothing found for “${query}”.`);
      if (activate === "match") this.#activateMatch(query);
      else this.#activate(activate === "first" ? 0 : options.length - 1);
      if (this.#picksWhenFound) this.#enter();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#isSearching = false;
      this.#show([], [error.title, error.detail].filter(Boolean).join(": ") || String(error));
    }
  }

  #show(options, note) {
    this.#options = options;
    this.#active = -1;
    this.#input.removeAttribute("aria-activedescendant");
    this.#note.textContent = note;
    this.#note.hidden = !note;
    this.#list.hidden = !options.length;
    this.#list.replaceChildren(...options.map((option, i) => element(
      "li",
      { role: "option", id: `${this.#list.id}-${i}`, "aria-selected": "false" },
      element("span", {}, option.label),
      option.note ? element("span", { class: "option-note" }, option.note) : null,
    )));
  }

  // "ars" and Enter pick Arsenal. An option with a similar spelling is not activated.
  #activateMatch(query) {
    const key = plain(query);
    const matches = this.#options.findIndex((option) => plain(option.label).includes(key));
    if (key) this.#activate(matches);
    else this.#activate(this.#options.findIndex((option) => option.label.trim() === this.text));
  }

  #activate(index) {
    this.#list.children[this.#active]?.setAttribute("aria-selected", "false");
    this.#active = index;
    const item = this.#list.children[index];
    if (!item || !this.#options.length) {
      this.#active = -1;
      this.#input.removeAttribute("aria-activedescendant");
      return;
    }
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", item.id);
  }

  #pressed(event) {
    const { key, altKey } = event;
    if (event.isComposing) return;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      const step = key === "ArrowDown" ? 1 : -1;
      const count = this.#options.length;
      if (!this.#isOpen) {
        const known = this.#choice?.label.trim() === this.text;
        this.#open(known ? "" : this.text, altKey || known ? "match" : step > 0 ? "first" : "last");
      } else if (count) {
        this.#activate(this.#active < 0 ? (step > 0 ? 0 : count - 1) : (this.#active + step + count) % count);
      }
    } else if (key === "Enter") {
      event.preventDefault();
      this.#enter();
    } else if (key === "Escape") {
      if (this.#isOpen) this.#close();
      else this.set(null);
    }
  }

  // Enter picks the active option; without one it sends the form. Pressed during a search, it waits for the answer.
  #enter() {
    this.#picksWhenFound = this.#isSearching;
    if (this.#isSearching) return;
    if (this.#isOpen && this.#active >= 0) {
      this.#pick(this.#options[this.#active]);
    } else {
      this.#close();
      this.#input.form.requestSubmit();
    }
  }

  #left() {
    if (this.#isOpen && this.#active >= 0) this.#pick(this.#options[this.#active]);
    else this.#close();
  }

  #pick(option) {
    const changed = this.value !== option.value || this.#choice?.label !== option.label;
    this.set(option);
    if (changed) this.#choose(option);
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#latest.abort();
    this.#isSearching = false;
    this.#picksWhenFound = false;
  }

  #close() {
    this.#stop();
    this.#popup.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#show([], "");
  }
}
