// What may be pasted into a letter: an allow-list, built anew node by node. The server cleans again what is saved (C21).
const KEPT = new Set("A ABBR B BIG BLOCKQUOTE BR CAPTION CENTER CITE CODE COL COLGROUP DD DEL DIV DL DT EM FIGCAPTION FIGURE FONT H1 H2 H3 H4 H5 H6 HR I IMG INS KBD LI MARK OL P PRE Q S SMALL SPAN STRIKE STRONG SUB SUP TABLE TBODY TD TFOOT TH THEAD TR TT U UL WBR".split(" "));
const GONE = new Set("APPLET AUDIO BASE CANVAS DATALIST EMBED FORM HEAD IFRAME LINK MAP MATH META NOSCRIPT OBJECT SCRIPT SELECT STYLE SVG TEMPLATE TEXTAREA TITLE VIDEO".split(" "));
const ATTRIBUTES = new Set("align alt bgcolor border cellpadding cellspacing clear color colspan dir face height lang nowrap rowspan size span start style title type valign value width".split(" "));
const LINK = /^(?:https?:\/\/|mailto:|tel:)/i;
const OURS = /^\/draft-files\/[a-z0-9]+$/i;
const SHOWN = /^data:image\/(?:png|jpe?g|gif|webp);base64,/i;

function address(node, name) {
  const value = node.getAttribute(name)?.trim() ?? "";
  if (name === "href") return LINK.test(value) ? value : "";
  const own = value.startsWith(location.origin) ? value.slice(location.origin.length) : value;
  return OURS.test(own) || SHOWN.test(own) ? own : "";
}

function element(node) {
  const made = document.createElement(node.nodeName);
  for (const { name, value } of node.attributes) {
    if (!ATTRIBUTES.has(name) || (name === "style" && /url\(|expression|position\s*:/i.test(value))) continue;
    made.setAttribute(name, value);
  }
  const where = { A: "href", IMG: "src" }[node.nodeName];
  if (where && address(node, where)) made.setAttribute(where, address(node, where));
  return node.nodeName === "IMG" && !made.hasAttribute("src") ? null : made;
}

function copy(from, into) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) into.append(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || GONE.has(node.nodeName.toUpperCase())) continue;
    const made = KEPT.has(node.nodeName) ? element(node) : into;
    if (!made) continue;
    if (made !== into) into.append(made);
    copy(node, made);
  }
}

// The parsed document is inert: nothing of it runs, and nothing is fetched.
export function cleaned(html) {
  const fragment = document.createDocumentFragment();
  copy(new DOMParser().parseFromString(html, "text/html").body, fragment);
  return fragment;
}
