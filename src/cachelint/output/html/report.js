"use strict";
// Strings from pages and file names are only ever text: textContent, append, value.
(() => {
  const PER_PAGE = 100;
  const PRINTED = 1000;
  const PACKAGES = 100;
  const ALL = -1;
  const root = document.documentElement;
  const at = (id) => document.getElementById(id);
  const number = (value) => value.toLocaleString("en");
  const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

  // ---------------------------------------------------------------- theme, before anything shows

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remember = (key, value) => {
    try {
      localStorage.setItem(`cachelint-${key}`, value);
    } catch { /* a frame without storage: the choice holds for this view */ }
  };
  const remembered = (key) => {
    try {
      return localStorage.getItem(`cachelint-${key}`);
    } catch {
      return null;
    }
  };
  const chosen = remembered("theme");
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

  function startTheme() {
    const button = at("theme");
    const show = () => { button.textContent = isDark() ? "Use light theme" : "Use dark theme"; };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember("theme", root.dataset.theme);
      show();
    });
    dark.addEventListener("change", show);
    show();
  }

  // ---------------------------------------------------------------- making elements

  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  const SVG = "http://www.w3.org/2000/svg";

  function share(part, whole) {
    const svg = document.createElementNS(SVG, "svg");
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("width", `${(100 * part) / whole}%`);
    rect.setAttribute("height", "100%");
    svg.setAttribute("aria-hidden", "true");
    svg.append(rect);
    return svg;
  }

  // ---------------------------------------------------------------- reading the findings

  /** Names in the order of their numbers, each with how many findings it has. */
  class Names {
    constructor() {
      this.names = [];
      this.counts = [];
      this.numbers = new Map();
    }
    add(name) {
      let found = this.numbers.get(name);
      if (found === undefined) {
        found = this.names.length;
        this.numbers.set(name, found);
        this.names.push(name);
        this.counts.push(0);
      }
      this.counts[found] += 1;
      return found;
    }
    ordered() {
      const order = this.names.map((_, index) => index);
      const collator = new Intl.Collator("en", { numeric: true });
      return order.sort((a, b) => !this.names[a] - !this.names[b] ||
        collator.compare(this.names[a], this.names[b]));
    }
  }

  /** Append a message, with what is between backticks as code. */
  function withCode(element, text) {
    const parts = text.split("`");
    // a backtick without another one is text
    if (parts.length % 2 === 0) parts.push(`${parts.splice(-2).join("`")}`);
    parts.forEach((part, index) => element.append(index % 2 ? make("code", {}, part) : part));
    return element;
  }

  function copyButton(text, label) {
    const button = make("button", { type: "button", className: "copy" }, label);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not copied";
      }
      setTimeout(() => { button.textContent = label; }, 1500);
    });
    return button;
  }

  /** Quote a path for a shell. */
  const quoted = (path) => (/^[\w@%+=:,./-]+$/.test(path) && !path.startsWith("-") ? path
    : `'${path.replaceAll("'", "'\\''")}'`);

  /** Read what output.html.chunks wrote. */
  function read() {
    const rules = JSON.parse(at("codes").textContent);
    const strings = [];
    const text = (value) => {
      if (typeof value === "number") return strings[value];
      strings.push(value);
      return value;
    };
    const findings = [];
    const places = [];
    let place = null;
    for (const island of document.querySelectorAll("script.chunk")) {
      for (const row of JSON.parse(island.textContent)) {
        if (row[0] !== 0) {
          const [folder, tag, name, given] = row[0].map(text);
          const above = folder && `${folder}/`;
          place = { folder, tag, name, path: given ?? `${above}_cache/${tag}/${name}/specs.md` };
          places.push(place);
        }
        findings.push({
          index: findings.length, place, line: row[1], column: row[2], rule: row[3],
          isError: (row[4] & 1) === 1, isFixable: (row[4] & 2) === 2,
          message: text(row[5]), pointer: text(row[6]), help: "",
          lines: row[7].map(([line, ...pieces]) => ({
            line,
            pieces: pieces.map((piece) => (Array.isArray(piece)
              ? { side: piece[0], text: text(piece[1]), label: text(piece[2]) }
              : { side: 0, text: text(piece) })),
          })),
        });
        findings.at(-1).help = text(row[8]); // numbered after the excerpts
      }
      island.remove();
    }
    // a tag is called by its catalog too where there are several
    const several = new Set(places.filter((one) => one.tag).map((one) => one.folder)).size > 1;
    const tags = new Names();
    const packages = new Names();
    for (const finding of findings) {
      const { folder, tag, name } = finding.place;
      finding.tag = tags.add(tag && several && folder ? `${folder}: ${tag}` : tag);
      finding.package = packages.add(name);
    }
    return { rules, findings, tags, packages };
  }

  // ---------------------------------------------------------------- the page

  function start() {
    for (const element of document.querySelectorAll("[data-script]")) element.hidden = false;
    startTheme();
    if (!at("codes")) return;

    const { rules, findings, tags, packages } = read();
    const ruleNumber = (code) => rules.findIndex((rule) => rule[0] === code);
    const title = (rule) => `${rules[rule][0]} ${rules[rule][1]}`;
    const tagName = (tag) => tags.names[tag] || "outside of tags";
    const packageName = (name) => packages.names[name] || "no package";
    const ruleCounts = rules.map(() => 0);
    for (const finding of findings) ruleCounts[finding.rule] += 1;
    const tagOrder = tags.ordered();
    const packageOrder = packages.ordered();
    const rank = (order) => {
      const ranks = [];
      order.forEach((each, index) => { ranks[each] = index; });
      return ranks;
    };
    const tagRank = rank(tagOrder);
    const packageRank = rank(packageOrder);

    const NO_FILTER = {
      q: "", severity: "", rule: ALL, tag: ALL, package: ALL, fixable: false, sort: "severity",
    };
    const ORDERS = {
      severity: ["Errors first", (a, b) => b.isError - a.isError],
      path: ["File and line", () => 0],
      rule: ["Rule", (a, b) => a.rule - b.rule],
      tag: ["Tag", (a, b) => tagRank[a.tag] - tagRank[b.tag]],
      package: ["Package", (a, b) => packageRank[a.package] - packageRank[b.package]],
    };
    let filter = { ...NO_FILTER };
    let matches = findings;
    let position = ALL; // of the chosen finding among the matches
    let shown = ALL; // the page of the list that is in the document
    let missing = ""; // what the address asks for and the report does not have
    let view = ""; // the hash that says all this

    // ---- the state as the hash of the address

    function hashOf(state, chosenFinding) {
      const parameters = new URLSearchParams();
      if (state.q) parameters.set("q", state.q);
      if (state.severity) parameters.set("severity", state.severity);
      if (state.rule !== ALL) parameters.set("rule", rules[state.rule][0]);
      if (state.tag !== ALL) parameters.set("tag", tags.names[state.tag]);
      if (state.package !== ALL) parameters.set("package", packages.names[state.package]);
      if (state.fixable) parameters.set("fixable", "yes");
      if (state.sort !== NO_FILTER.sort) parameters.set("sort", state.sort);
      if (chosenFinding !== undefined) parameters.set("finding", String(chosenFinding + 1));
      const text = String(parameters);
      return text && `#${text}`;
    }

    const linkTo = (part) => hashOf({ ...NO_FILTER, ...part });

    function readHash(hash) {
      const parameters = new URLSearchParams(hash.slice(1));
      const unknown = [];
      const named = (key, find) => {
        const name = parameters.get(key);
        if (name === null) return ALL;
        const found = find(name) ?? ALL;
        if (found === ALL) unknown.push(`${key} ${name}`);
        return found;
      };
      const severity = parameters.get("severity");
      const sort = parameters.get("sort");
      filter = {
        q: parameters.get("q") ?? "",
        severity: severity === "error" || severity === "warning" ? severity : "",
        rule: named("rule", ruleNumber),
        tag: named("tag", (name) => tags.numbers.get(name)),
        package: named("package", (name) => packages.numbers.get(name)),
        fixable: parameters.get("fixable") === "yes",
        sort: Object.hasOwn(ORDERS, sort) ? sort : NO_FILTER.sort,
      };
      missing = unknown.length ? `No finding here has ${unknown.join(" or ")}. ` : "";
      return findings[Number(parameters.get("finding")) - 1];
    }

    function step(address, isNew = true) {
      try {
        history[isNew ? "pushState" : "replaceState"](null, "", address);
      } catch { /* a frame whose address is not its own */ }
    }

    let due = 0;
    function writeHash(isStep) {
      clearTimeout(due);
      const write = () => {
        const hash = hashOf(filter, isPicked ? matches[position]?.index : undefined);
        if (hash === view) return;
        view = hash;
        step(hash || location.pathname + location.search, isStep);
      };
      // browsers stop a page that changes its address many times per second
      if (isStep) write();
      else due = setTimeout(write, 350);
    }

    // ---- filtering

    function isMatch(finding, words) {
      if (filter.rule !== ALL && finding.rule !== filter.rule) return false;
      if (filter.tag !== ALL && finding.tag !== filter.tag) return false;
      if (filter.package !== ALL && finding.package !== filter.package) return false;
      if (filter.severity && finding.isError !== (filter.severity === "error")) return false;
      if (filter.fixable && !finding.isFixable) return false;
      if (words.length === 0) return true;
      finding.text ??= [title(finding.rule), finding.place.path, finding.message, finding.pointer]
        .join("\n").toLowerCase();
      return words.every((word) => finding.text.includes(word));
    }

    let isPicked = false; // whether somebody chose the finding, rather than the page

    /** Find what matches, and show it; `wanted` is the finding to choose if it is among it. */
    function apply(wanted) {
      const words = filter.q.toLowerCase().split(/\s+/).filter(Boolean);
      matches = findings.filter((finding) => isMatch(finding, words));
      if (filter.sort !== "path") matches.sort(ORDERS[filter.sort][1]);
      const found = wanted ? matches.indexOf(wanted) : -1;
      isPicked = found >= 0;
      position = Math.max(found, 0);
      shown = ALL;
      showFilter();
      showMatches();
    }

    function change(part, isStep = true) {
      Object.assign(filter, part);
      missing = "";
      apply(isPicked ? matches[position] : undefined);
      writeHash(isStep);
    }

    const isFiltered = () => hashOf({ ...filter, sort: NO_FILTER.sort }) !== "";

    function describe() {
      const parts = [];
      if (filter.q) parts.push(`with "${filter.q}"`);
      if (filter.severity) parts.push(`${filter.severity}s`);
      if (filter.rule !== ALL) parts.push(title(filter.rule));
      if (filter.tag !== ALL) parts.push(`tag ${tagName(filter.tag)}`);
      if (filter.package !== ALL) parts.push(`package ${packageName(filter.package)}`);
      if (filter.fixable) parts.push("fixable");
      return parts.join(", ");
    }

    // ---- the filter's form

    function fill(id, first, options) {
      at(id).append(make("option", { value: String(first[0]) }, first[1]), ...options.map(
        ([value, label]) => make("option", { value: String(value) }, label)));
    }
    fill("severity", ["", "Any"], [["error", "Errors"], ["warning", "Warnings"]]);
    fill("rule", [ALL, "Any"], rules.map((_, rule) => [rule, title(rule)]));
    fill("tag", [ALL, "Any"], tagOrder.map((tag) => [tag, tagName(tag)]));
    fill("package", [ALL, "Any"], packageOrder.map((name) => [name, packageName(name)]));
    fill("sort", ["severity", ORDERS.severity[0]],
      Object.entries(ORDERS).slice(1).map(([key, [label]]) => [key, label]));

    function showFilter() {
      for (const key of ["severity", "rule", "tag", "package", "sort"]) {
        at(key).value = String(filter[key]);
        at(key).classList.toggle("set", filter[key] !== NO_FILTER[key]);
      }
      if (at("q").value !== filter.q) at("q").value = filter.q;
      at("fixable").checked = filter.fixable;
      at("clear").disabled = !isFiltered();
      for (const cell of cells.flat()) {
        if (!cell) continue;
        const { rule, tag } = cell.dataset;
        const isChosen = Number(rule) === filter.rule && Number(tag) === filter.tag &&
          (filter.rule !== ALL || filter.tag !== ALL);
        cell.setAttribute("aria-pressed", String(isChosen));
      }
    }

    at("filters").addEventListener("submit", (event) => event.preventDefault());
    for (const key of ["rule", "tag", "package"]) {
      at(key).addEventListener("change", () => change({ [key]: Number(at(key).value) }));
    }
    for (const key of ["severity", "sort"]) {
      at(key).addEventListener("change", () => change({ [key]: at(key).value }));
    }
    at("fixable").addEventListener("change", () => change({ fixable: at("fixable").checked }));
    let typing = 0;
    at("q").addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => change({ q: at("q").value }, false), 120);
    });
    at("clear").addEventListener("click", () => {
      clearTimeout(typing);
      change({ ...NO_FILTER, sort: filter.sort });
      at("q").focus();
    });

    // ---- the list

    const list = at("list");
    const detail = at("detail");

    function showMatches() {
      const all = counted(findings.length, "finding");
      const some = isFiltered() ? `${number(matches.length)} of ${all}` : all;
      at("count").textContent = missing + some;
      at("none").hidden = matches.length > 0;
      if (matches.length === 0) {
        list.replaceChildren();
        list.removeAttribute("aria-activedescendant");
        at("pager").hidden = true;
        detail.replaceChildren();
        closeDetail();
        return;
      }
      showPage();
      showDetail();
    }

    function showPage() {
      const page = Math.floor(position / PER_PAGE);
      if (page !== shown) {
        shown = page;
        const from = page * PER_PAGE;
        const to = Math.min(from + PER_PAGE, matches.length);
        list.replaceChildren(...matches.slice(from, to).map(
          (finding, index) => row(finding, from + index)));
        at("pager").hidden = matches.length <= PER_PAGE;
        at("earlier").disabled = page === 0;
        at("later").disabled = to === matches.length;
        at("position").textContent =
          `${number(from + 1)}\u2013${number(to)} of ${number(matches.length)}`;
      }
      for (const option of list.querySelectorAll("[aria-selected=true]")) {
        option.setAttribute("aria-selected", "false");
      }
      const option = list.children[position - shown * PER_PAGE];
      option.setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", option.id);
    }

    function level(finding) {
      const word = finding.isError ? "error" : "warning";
      return make("span", { className: `level ${word}` }, word);
    }

    function row(finding, index) {
      const { place } = finding;
      const where = place.name ? [make("b", {}, place.name), ` ${tags.names[finding.tag]}`]
        : [make("b", {}, place.path)];
      return make("div", {
        role: "option", id: `finding-${finding.index}`, "aria-selected": "false",
        "aria-setsize": String(matches.length), "aria-posinset": String(index + 1),
        "data-position": String(index),
      }, make("span", { className: "line" }, level(finding),
        make("span", { className: "code" }, title(finding.rule)),
        ...(finding.isFixable ? [make("span", { className: "fixable" }, "fixable")] : [])),
      withCode(make("span", { className: "message" }), finding.message),
      make("span", { className: "where" }, ...where,
        make("span", { className: "at" }, `line ${finding.line}`)));
    }

    function choose(index, { reveal = true } = {}) {
      if (matches.length === 0) return;
      position = Math.min(Math.max(index, 0), matches.length - 1);
      isPicked = true;
      showPage();
      showDetail();
      detail.classList.add("open");
      writeHash(false);
      if (reveal) list.children[position - shown * PER_PAGE].scrollIntoView({ block: "nearest" });
    }

    function turn(pages) {
      choose((shown + pages) * PER_PAGE, { reveal: false });
      closeDetail();
      list.focus({ preventScroll: true });
      at("findings").scrollIntoView();
    }

    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) choose(Number(option.dataset.position));
    });
    at("earlier").addEventListener("click", () => turn(-1));
    at("later").addEventListener("click", () => turn(1));

    // ---- the chosen finding

    function evidence(finding) {
      const body = make("div", { className: "evidence", role: "group", tabIndex: 0,
        "aria-label": "Excerpt of the file" });
      for (const { line, pieces } of finding.lines) {
        const text = make("code");
        const notes = [];
        for (const { side, text: piece, label } of pieces) {
          if (side === 0) text.append(piece);
          else {
            text.append(make("mark", { className: `side${side}` }, piece));
            if (label) notes.push(make("span", { className: `side${side}` }, label));
          }
        }
        body.append(make("div", { className: "row" },
          make("span", { className: "number" }, String(line)), text, ...notes));
      }
      return body;
    }

    const base = JSON.parse(at("base").textContent);

    function file(finding) {
      const { path } = finding.place;
      const parts = [path, make("span", {}, `:${finding.line}:${finding.column}`)];
      if (!base || path.startsWith("/") || path.split("/").includes("..")) {
        return make("p", { className: "path" }, ...parts);
      }
      const href = `${base}${path.split("/").map(encodeURIComponent).join("/")}#L${finding.line}`;
      return make("p", { className: "path" }, make("a", { href }, ...parts));
    }

    // a file of the catalog is fixed with its catalog
    const fixCommand = ({ place }) => (place.tag ? `cachelint fix ${quoted(place.path)}`
      : "cachelint fix");

    function copyButtons(finding) {
      const { path } = finding.place;
      return make("p", { className: "copies" },
        copyButton(`${path}:${finding.line}:${finding.column}`, "Copy location"),
        ...(finding.isFixable ? [copyButton(fixCommand(finding), "Copy fix command")] : []));
    }

    function showDetail() {
      const finding = matches[position];
      const { rule, tag } = finding;
      const close = make("button", { type: "button", className: "close" }, "Close");
      close.addEventListener("click", () => { closeDetail(); list.focus(); });
      const more = [
        [title(rule), ruleCounts[rule], { rule }],
        [packageName(finding.package), packages.counts[finding.package],
          { package: finding.package }],
        [tagName(tag), tags.counts[tag], { tag }],
      ];
      const text = at(rules[rule][0]).querySelector(".prose").cloneNode(true);
      detail.replaceChildren(
        make("header", {}, level(finding),
          make("h3", {}, make("a", { href: rules[rule][2] }, title(rule))), close),
        withCode(make("p", { className: "message" }), finding.message),
        file(finding),
        copyButtons(finding),
        ...(finding.lines.length ? [evidence(finding)] : []),
        ...(finding.pointer ? [make("p", { className: "pointer" }, "At ",
          make("code", {}, finding.pointer))] : []),
        ...(finding.help ? [withCode(make("p", { className: "help" }, "Help: "), finding.help)] : []),
        ...(finding.isFixable ? [make("p", { className: "fix" },
          make("code", {}, fixCommand(finding)), " fixes this.")] : []),
        make("section", { className: "about", "aria-label": "About the rule" },
          make("h4", {}, "The rule"), text),
        make("section", { className: "more", "aria-label": "Others like it" },
          make("h4", {}, "Others"),
          make("ul", {}, ...more.map(([label, count, part]) => make("li", {},
            make("a", { href: linkTo(part) }, label),
            make("span", { className: "count" }, number(count)))))),
      );
      detail.scrollTop = 0;
    }

    function closeDetail() {
      detail.classList.remove("open");
    }

    // ---- packages, and the links of the overview

    for (const link of at("tally").querySelectorAll("a")) {
      link.href = linkTo({ rule: ruleNumber(link.getAttribute("href").slice(1)) });
    }
    const tagsOf = new Map();
    for (const finding of findings) {
      if (!tagsOf.has(finding.package)) tagsOf.set(finding.package, new Set());
      tagsOf.get(finding.package).add(finding.tag);
    }
    const frequent = packages.names.map((_, name) => name).filter((name) => packages.names[name])
      .sort((a, b) => packages.counts[b] - packages.counts[a] || packageRank[a] - packageRank[b]);
    const most = packages.counts[frequent[0]];
    at("packages").append(...frequent.slice(0, PACKAGES).map((name) => make("tr", {},
      make("th", { scope: "row" },
        make("a", { href: linkTo({ package: name }) }, packageName(name))),
      make("td", { className: "count" }, number(tagsOf.get(name).size)),
      make("td", { className: "share" }, share(packages.counts[name], most)),
      make("td", { className: "count" }, number(packages.counts[name])))));
    if (frequent.length > PACKAGES) {
      const others = counted(frequent.length - PACKAGES, "other package");
      at("packages").append(make("tr", {}, make("td", { colSpan: 4, className: "rest" },
        `and ${others}, which the filter below lists`)));
    }
    if (frequent.length === 0) at("by-package").closest("section").hidden = true;

    // ---- the map: a grid of buttons, of which Tab reaches one and the arrows the others

    const cells = [];

    function cell(row, rule, tag, count, label, text) {
      const button = make("button", { type: "button", tabIndex: -1,
        "aria-label": `${label}: ${counted(count, "finding")}`, "aria-pressed": "false",
        "data-rule": String(rule), "data-tag": String(tag) }, text);
      button.dataset.row = String(cells.length);
      button.dataset.column = String(row.length);
      row.push(button);
      return button;
    }

    function drawMap() {
      const counts = tagOrder.map(() => rules.map(() => 0));
      for (const finding of findings) counts[tagRank[finding.tag]][finding.rule] += 1;
      // a shade for each half of a power of ten below the most; a few findings stay pale
      const most = Math.max(30, ...counts.flat());
      const step = (count) => Math.max(1, 5 - Math.round(2 * Math.log10(most / count)));
      const head = [undefined];
      const heading = make("tr", {}, make("th", { scope: "col" }, "Tag"));
      rules.forEach((rule, index) => {
        heading.append(make("th", { scope: "col" },
          cell(head, index, ALL, ruleCounts[index], title(index), rule[0])));
        heading.lastChild.title = rule[1];
      });
      heading.append(make("th", { scope: "col", className: "total" }, "All"));
      cells.push(head);
      const body = make("tbody");
      tagOrder.forEach((tag, index) => {
        const line = [];
        const tr = make("tr", {}, make("th", { scope: "row" },
          cell(line, ALL, tag, tags.counts[tag], tagName(tag), tagName(tag))));
        tr.firstChild.title = tagName(tag);
        counts[index].forEach((count, rule) => {
          const td = make("td");
          if (count === 0) {
            line.push(undefined);
          } else {
            td.className = `heat${step(count)}`;
            const label = `${tagName(tag)}, ${title(rule)}`;
            td.append(cell(line, rule, tag, count, label, number(count)));
          }
          tr.append(td);
        });
        tr.append(make("td", { className: "total" }, number(tags.counts[tag])));
        cells.push(line);
        body.append(tr);
      });
      const foot = make("tr", {}, make("th", { scope: "row" }, "All"),
        ...ruleCounts.map((count) => make("td", { className: "total" }, number(count))),
        make("td", { className: "total" }, number(findings.length)));
      at("heat").append(make("table", { role: "grid", "aria-labelledby": "map-title",
        "aria-describedby": "map-hint", className: rules.length > 14 ? "broad" : "" },
      make("thead", {}, heading), body, make("tfoot", {}, foot)));
      reach(cells.flat().find(Boolean), false);
    }

    let reached = null;
    function reach(button, isFocused = true) {
      if (reached) reached.tabIndex = -1;
      reached = button;
      button.tabIndex = 0;
      if (isFocused) {
        button.focus({ preventScroll: true });
        button.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    }

    /** Go from a cell in a direction to the next that is a button. */
    function neighbour(button, down, right) {
      let line = Number(button.dataset.row) + down;
      let column = Number(button.dataset.column) + right;
      while (cells[line] && column >= 0 && column < rules.length + 1) {
        if (cells[line][column]) return cells[line][column];
        line += down;
        column += right;
      }
      return button;
    }

    const DIRECTIONS = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    };
    at("heat").addEventListener("keydown", (event) => {
      const button = event.target.closest("button");
      if (!button || event.altKey || event.ctrlKey || event.metaKey) return;
      const line = cells[Number(button.dataset.row)].filter(Boolean);
      if (DIRECTIONS[event.key]) reach(neighbour(button, ...DIRECTIONS[event.key]));
      else if (event.key === "Home") reach(line[0]);
      else if (event.key === "End") reach(line.at(-1));
      else return;
      event.preventDefault();
    });
    at("heat").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      reach(button, false);
      const isChosen = button.getAttribute("aria-pressed") === "true";
      const [rule, tag] = [Number(button.dataset.rule), Number(button.dataset.tag)];
      change(isChosen ? { rule: ALL, tag: ALL }
        : { ...NO_FILTER, sort: filter.sort, rule, tag });
      if (!isChosen) goTo("findings", list);
    });

    // ---- getting about

    function goTo(id, focused = at(id)) {
      at(id).scrollIntoView();
      focused.focus({ preventScroll: true });
    }

    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const target = link.getAttribute("href");
      event.preventDefault();
      if (target.includes("=")) {
        step(target);
        arrive(target);
        goTo("findings", list);
      } else {
        // a part of this page is not a state of the filter: the address stays
        goTo(target.slice(1));
      }
    });

    function arrive(hash = location.hash) {
      const id = hash.slice(1);
      view = hash;
      const wanted = readHash(hash);
      apply(wanted);
      if (wanted && isPicked) detail.classList.add("open");
      else closeDetail();
      if (at(id) instanceof HTMLDetailsElement) at(id).open = true;
      return isFiltered() || Boolean(wanted) || missing !== "";
    }
    // back, forward, and a hash that somebody wrote into the address
    window.addEventListener("popstate", () => {
      if (location.hash !== view) arrive();
    });

    const letters = at("letters");
    letters.checked = remembered("letters") !== "no";
    letters.addEventListener("change", () => remember("letters", letters.checked ? "yes" : "no"));
    at("print").addEventListener("click", () => window.print());

    const DOWN = { j: 1, k: -1 };
    document.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const isTyping = event.target.closest("input:not([type=checkbox]), select, textarea");
      const isInList = event.target === list;
      if (event.key === "Escape") {
        if (event.target === at("q") && !at("q").value) list.focus();
        else if (detail.contains(event.target) || isInList) {
          closeDetail();
          list.focus();
        } else return;
      } else if (isTyping) {
        if (event.target !== at("q") || event.key !== "Enter") return;
        clearTimeout(typing);
        change({ q: at("q").value }, false);
        list.focus();
      } else if (letters.checked && !event.shiftKey && DOWN[event.key]) {
        list.focus({ preventScroll: true });
        choose(position + (isPicked ? DOWN[event.key] : 0));
      } else if (letters.checked && event.key === "/") goTo("findings", at("q"));
      else if (!isInList) return;
      else if (event.key === "ArrowDown") choose(position + (isPicked ? 1 : 0));
      else if (event.key === "ArrowUp") choose(position - 1);
      else if (event.key === "PageDown") choose(position + 10);
      else if (event.key === "PageUp") choose(position - 10);
      else if (event.key === "Home") choose(0);
      else if (event.key === "End") choose(matches.length - 1);
      else if (event.key === "Enter" || event.key === " ") {
        choose(position);
        detail.focus();
      } else return;
      event.preventDefault();
    });

    // ---- print: what the filter lets through

    const opened = [];
    window.addEventListener("beforeprint", () => {
      const some = matches.slice(0, PRINTED);
      const words = describe();
      const left = matches.length - some.length;
      at("printed").replaceChildren(
        make("h2", {}, `${at("count").textContent}${words ? `: ${words}` : ""}`),
        ...(left > 0 ? [make("p", { className: "note" }, `The first ${number(PRINTED)} are ` +
          `printed; ${number(left)} are not. A filter makes them fewer.`)] : []),
        ...some.map((finding) => make("article", {},
          make("h3", {}, level(finding), ` ${title(finding.rule)}`,
            ...(finding.isFixable ? [make("span", { className: "fixable" }, "fixable")] : [])),
          withCode(make("p", { className: "message" }), finding.message), file(finding),
          ...(finding.lines.length ? [evidence(finding)] : []))),
      );
      for (const each of document.querySelectorAll("#rules details:not([open])")) {
        each.open = true;
        opened.push(each);
      }
    });
    window.addEventListener("afterprint", () => {
      at("printed").replaceChildren();
      for (const each of opened.splice(0)) each.open = false;
    });

    drawMap();
    if (arrive()) goTo("findings", list);
  }

  document.addEventListener("DOMContentLoaded", start);
})();
