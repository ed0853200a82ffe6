// The console's one script. Without it every page and every action still works, by plain links and forms.
"use strict";

const FRAGMENT = { "Onward-Fragment": "1" };
const say = (text) => { document.getElementById("said").textContent = text; };

// Times are sent as UTC and shown in the reader's own zone.
const FORMATS = {
  minute: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  second: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  day: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
  hour: { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};
const THIS_YEAR = new Date().getFullYear();

function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-as]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const format = { ...FORMATS[time.dataset.as] };
    if (at.getFullYear() !== THIS_YEAR) format.year = "numeric";
    time.textContent = new Intl.DateTimeFormat("en-GB", format).format(at);
    time.title = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" }).format(at);
  }
  for (const field of root.querySelectorAll("input[name=zone]")) {
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  }
}

// Regions: parts of a page that are replaced when they have changed, unless the reader is at work in one.
function inUse(region) {
  const focused = document.activeElement;
  const typing = focused && region.contains(focused) && focused.matches("input, select, textarea");
  return typing || region.querySelector("details[data-form][open]") !== null || [...region.querySelectorAll("input, select, textarea")].some(filledIn);
}

// Whether somebody has put something into a field.
function filledIn(field) {
  if (field.matches("[type=hidden], [data-pick], [data-pick-all]")) return false;
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (field.matches("select")) return [...field.options].some((one) => one.selected !== one.defaultSelected) && field.selectedIndex > 0;
  return field.value !== field.defaultValue;
}

// `sent`: the region of a form that was just sent, whose fields are done with.
function swapRegions(fresh, sent) {
  for (const region of document.querySelectorAll("[data-region]")) {
    const other = fresh.getElementById(region.id);
    if (!other) continue;
    localTimes(other);
    if (region.innerHTML === other.innerHTML || (region !== sent && inUse(region))) continue;
    const held = document.activeElement && region.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...region.querySelectorAll("details[id][open]")].map((one) => one.id);
    region.replaceChildren(...document.importNode(other, true).childNodes);
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    if (held) document.getElementById(held)?.focus({ preventScroll: true });
  }
}

const parse = (html) => new DOMParser().parseFromString(html, "text/html");

async function load(url, options = {}) {
  const response = await fetch(url, { credentials: "same-origin", ...options, headers: { ...FRAGMENT, ...options.headers } });
  if (response.status === 401) {
    location.assign(`/sign-in?expired=1&next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Error("signed out");
  }
  return { response, page: parse(await response.text()) };
}

function toast(kind, text) {
  document.querySelectorAll(".toast").forEach((old) => old.remove());
  const shown = document.createElement("div");
  shown.className = `notice toast ${kind}`;
  shown.textContent = text;
  document.body.append(shown);
  say(text);
  if (kind !== "refused") setTimeout(() => shown.remove(), 8000);
}

// What the answer to an action says of it: its notice, or what its page of a problem says. True: it was done.
function report(response, page) {
  const notice = page.getElementById("notice");
  const problem = [...page.querySelectorAll("main h1, main p")].map((one) => one.textContent.trim()).join(". ");
  if (notice) toast(["done", "warning", "refused"].find((kind) => notice.classList.contains(kind)) || "done", notice.textContent.trim());
  else if (!response.ok) toast("refused", `It was not done: ${problem || `the server answered ${response.status}`}`.slice(0, 500));
  return response.ok;
}

const AWAY = "The server does not answer. Nothing is lost: try again in a moment.";
const failed = (error) => { if (error.message !== "signed out") toast("refused", AWAY); };

// Forms: sent without leaving the page; the answer's regions replace this page's.
const underway = new WeakSet();

async function send(form, button) {
  if (underway.has(form)) return; // pressed twice
  underway.add(form);
  const body = new URLSearchParams(new FormData(form, button));
  const stays = form.dataset.stay !== undefined;
  const sent = form.closest("[data-region]");
  button?.setAttribute("aria-busy", "true");
  try {
    // By attribute: a field may be called "action".
    const headers = stays ? { "Onward-Stay": "1" } : {};
    const { response, page } = await load(form.getAttribute("action"), { method: "POST", body, headers });
    if (form.dataset.ask !== undefined && response.ok && !response.redirected && !page.getElementById("notice")) {
      showDialog(page);
      return;
    }
    const here = new URL(response.url).pathname === location.pathname;
    if (response.redirected && !here && !stays) {
      location.assign(response.url);
      return;
    }
    if (!report(response, page)) return; // the form stays as it is
    closeAll();
    if (stays || !here) await refresh(sent);
    else swapRegions(page, sent);
  } catch (error) {
    failed(error);
  } finally {
    underway.delete(form);
    button?.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post" || form.dataset.plain !== undefined) return;
  event.preventDefault();
  send(form, event.submitter);
});

// Dialogs: a link with data-dialog shows its page's <main> here.
async function openDialog(link) {
  const { response, page } = await load(link.href);
  if (report(response, page)) showDialog(page);
}

function showDialog(page) {
  closeMenu();
  const dialog = document.getElementById("dialog");
  const main = page.querySelector("[data-dialog-part]") || page.querySelector("main");
  dialog.replaceChildren(...document.importNode(main, true).childNodes);
  localTimes(dialog);
  const title = dialog.querySelector("h1, h2");
  if (title) { title.id = "dialog-title"; dialog.setAttribute("aria-labelledby", "dialog-title"); }
  if (!dialog.open) dialog.showModal();
}

// Menus: a link with data-menu shows the fragment at its address beside it.
let menuOf = null;

function closeMenu() {
  const menu = document.getElementById("menu");
  if (menu.matches(":popover-open")) menu.hidePopover();
}

function closeAll() {
  closeMenu();
  const dialog = document.getElementById("dialog");
  if (dialog.open) dialog.close();
}

async function openMenu(link) {
  const menu = document.getElementById("menu");
  if (menuOf === link && menu.matches(":popover-open")) { menu.hidePopover(); return; }
  const { response, page } = await load(link.dataset.menu);
  if (!report(response, page)) return;
  menu.replaceChildren(...document.importNode(page.body, true).childNodes);
  localTimes(menu);
  closeMenu();
  menuOf = link;
  menu.showPopover();
  const at = link.getBoundingClientRect();
  const box = menu.getBoundingClientRect();
  const top = at.bottom + 4 + box.height <= innerHeight ? at.bottom + 4 : Math.max(8, innerHeight - box.height - 8);
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(8, Math.min(at.right - box.width, innerWidth - box.width - 8))}px`;
  link.setAttribute("aria-expanded", "true");
  menu.querySelector("button, summary, a")?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest("[data-menu], [data-dialog], [data-close], [data-reload]");
  if (!link) return;
  event.preventDefault();
  if (link.dataset.menu) openMenu(link).catch(failed);
  else if (link.dataset.dialog !== undefined) openDialog(link).catch(failed);
  else if (link.dataset.reload !== undefined) location.reload();
  else closeAll();
});

document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches("a[role=button]")) { event.preventDefault(); event.target.click(); }
  const reached = "#menu li > form button, #menu summary, #menu details[open] > form button"; // not what is folded away
  const items = event.target.closest("#menu") && [...document.querySelectorAll(reached)];
  if (items && (event.key === "ArrowDown" || event.key === "ArrowUp") && !event.target.matches("input, select, textarea")) {
    event.preventDefault();
    const at = items.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
    items[(at + items.length) % items.length]?.focus();
  }
});

// Filters are taken up as they are chosen.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-auto] select")) event.target.form.requestSubmit();
  if (event.target.matches("input[data-pick-all]")) {
    document.querySelectorAll("input[data-pick]").forEach((one) => { one.checked = event.target.checked; });
  }
  if (event.target.matches("input[data-pick], input[data-pick-all]")) countPicked();
});

function countPicked() {
  const bar = document.getElementById("selection");
  if (!bar) return;
  const picked = document.querySelectorAll("input[data-pick]:checked").length;
  bar.hidden = picked === 0;
  bar.querySelector("[data-picked]").textContent = `${picked} selected`;
}

// Live: the server says what has changed; rows are replaced where they stand, nothing is moved under the reader's hand.
function replaceRows(page) {
  for (const fresh of page.querySelectorAll("tr[data-row]")) {
    const row = document.getElementById(fresh.id);
    if (!row) continue;
    localTimes(fresh);
    const picked = row.querySelector("input[data-pick]")?.checked;
    const box = fresh.querySelector("input[data-pick]");
    if (box) box.toggleAttribute("checked", false);
    let changed = false;
    [...fresh.cells].forEach((cell, at) => {
      const old = row.cells[at];
      // What the reader has focused or open stays; the rest is new.
      if (!old || old.contains(document.activeElement) || old.contains(menuOf) || old.innerHTML === cell.innerHTML) return;
      for (const attribute of cell.attributes) old.setAttribute(attribute.name, attribute.value);
      old.replaceChildren(...document.importNode(cell, true).childNodes);
      changed = true;
    });
    if (picked) row.querySelector("input[data-pick]").checked = true;
    if (!changed) continue;
    row.classList.remove("changed");
    void row.offsetWidth;
    row.classList.add("changed");
  }
}

async function refresh(sent) {
  const rows = [...document.querySelectorAll("tr[data-row]")].map((row) => row.dataset.row);
  const source = document.body.dataset.rows;
  if (source) {
    const url = new URL(source, location.href);
    url.searchParams.set("rows", rows.join(","));
    const { response, page } = await load(url);
    if (!response.ok) return;
    replaceRows(page);
    swapRegions(page, sent);
    countPicked();
    return;
  }
  const { response, page } = await load(location.href);
  if (response.ok) swapRegions(page, sent);
}

let waiting = 0;

function listen() {
  const live = document.body.dataset.live;
  if (!live) return;
  const url = new URL(live, location.href);
  const rows = [...document.querySelectorAll("tr[data-row]")].map((row) => row.dataset.row);
  if (rows.length) url.searchParams.set("rows", rows.join(","));
  let source = null;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh(null).catch(() => {}), 150);
  };
  const close = () => {
    source?.close();
    source = null;
    document.documentElement.setAttribute("data-live", "off");
  };
  const open = () => {
    if (source) return;
    source = new EventSource(url);
    source.addEventListener("changed", soon);
    source.addEventListener("signed_out", () => { close(); refresh(null).catch(() => {}); }); // which leads to the sign-in page
    source.addEventListener("open", () => {
      document.documentElement.setAttribute("data-live", "on");
      soon(); // what happened before we listened, or while the connection was lost
    });
    source.addEventListener("error", () => document.documentElement.setAttribute("data-live", "off"));
  };
  // Only while the page is looked at: a browser has six connections to a server, and each stream holds one.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  if (!document.hidden) open();
}

document.getElementById("menu").addEventListener("toggle", (event) => {
  if (event.newState === "closed" && menuOf) {
    menuOf.setAttribute("aria-expanded", "false");
    if (document.activeElement === document.body) menuOf.focus({ preventScroll: true });
    menuOf = null;
  }
});
localTimes(document);
countPicked();
listen();
