/* Handbill pixel: keeps the click id of the visit and reports an action. How to use it: docs/pixel.md.
   <script async src="https://EDGE/px.js" data-c="PIXEL" data-a="1" data-r="JOB REFERENCE"
           data-job-application-id="APPLICATION"></script>
   a: 1 view, 2 apply start, 3 apply. data-spa="true": again at each change of route.
   data-consent="wait": nothing is kept or sent before handbill.consent(true). */
(function () {
  "use strict";
  var NAME = "jClickId", TWO_YEARS_S = 63072000, MOST_WAITING = 20, NOT_COUNTED_WIDTH = 2;
  var ACTIONS = { "1": true, "2": true, "3": true };
  var script = document.currentScript;
  if (!script) {
    say("px.js must be loaded by a script tag of its own, not bundled or as a module");
    return;
  }
  var shared = window.handbill = window.handbill || {};
  var ofThisVisit = fromQuery(), waiting = [], sent = 0;

  function say(what) { console.warn("Handbill pixel: " + what); }

  function configured() {
    for (var i = 0; i < arguments.length; i++) {
      var value = script.getAttribute("data-" + arguments[i]);
      if (value) { return value; }
    }
    return "";
  }

  function fromQuery() {
    var found = /[?&]jClickId=([\w-]{1,256})(?:&|$)/.exec(location.search);
    return found ? found[1] : "";
  }

  function fromCookie() {
    var found = /(?:^|;\s*)jClickId=([\w-]{1,256})(?:;|$)/.exec(document.cookie);
    return found ? found[1] : "";
  }

  function fromStorage() {
    try { return localStorage.getItem(NAME) || ""; } catch (refused) { return ""; }
  }

  function setCookie(name, value, age, domain) {
    document.cookie = name + "=" + value + "; path=/; max-age=" + age + "; SameSite=Lax" +
      (domain ? "; domain=" + domain : "") + (location.protocol === "https:" ? "; Secure" : "");
  }

  /* Browsers refuse cookies for public suffixes, so the first suffix that sticks is the
     registrable domain. */
  function registrableDomain() {
    var labels = location.hostname.split("."), probe = NAME + "Probe";
    for (var i = labels.length - 2; i >= 0; i--) {
      var domain = labels.slice(i).join(".");
      setCookie(probe, "1", 60, domain);
      if (document.cookie.indexOf(probe + "=1") >= 0) {
        setCookie(probe, "", 0, domain);
        return domain;
      }
    }
    return "";
  }

  function keep(click) {
    setCookie(NAME, click, TWO_YEARS_S, registrableDomain());
    try { localStorage.setItem(NAME, click); } catch (refused) { return; }
  }

  function forget() {
    setCookie(NAME, "", 0, registrableDomain());
    setCookie(NAME, "", 0, "");
    try { localStorage.removeItem(NAME); } catch (refused) { return; }
  }

  function mayReport() {
    if (shared.consented === undefined) { return configured("consent") !== "wait"; }
    return shared.consented;
  }

  /* The fields of a report; null, and told in the console, when it could not be counted. */
  function fieldsOf(more) {
    var fields = {
      c: configured("c"), a: String(more.a || configured("a")), r: more.r || configured("r"),
      jClickId: "",
      jobApplicationId: more.jobApplicationId ||
        configured("job-application-id", "jobApplicationId"),
      candidateId: more.candidateId || configured("candidate-id", "candidateId"),
      loc: document.referrer.slice(0, 1024)
    };
    if (!/^[a-z0-9]{20,40}$/.test(fields.c)) {
      say('data-c="' + fields.c + '" is not a pixel id: take pixelId of GET /clients/{client_id}');
      return null;
    }
    if (!ACTIONS[fields.a]) {
      say('data-a="' + fields.a + '" is not 1 (view), 2 (apply start) or 3 (apply)');
      return null;
    }
    return fields;
  }

  function send(fields) {
    var click = fromQuery() || ofThisVisit, query = [];
    if (click) { keep(click); } else { click = fromCookie() || fromStorage(); }
    fields.jClickId = click;
    for (var name in fields) {
      if (fields[name]) { query.push(name + "=" + encodeURIComponent(fields[name])); }
    }
    /* A browser loads a picture once for a document: a report that is equal needs another address. */
    sent += 1;
    if (sent > 1) { query.push("n=" + sent); }
    var image = new Image();
    image.onload = function () {
      if (image.naturalWidth === NOT_COUNTED_WIDTH) {
        say("not counted: no client has the pixel id " + fields.c +
            (click ? ", or the click id " + click + " is not of this installation" : ""));
      }
    };
    image.onerror = function () { say("not sent: " + script.src + " cannot be reached"); };
    image.src = script.src.replace(/px\.js([?#].*)?$/, "px.gif") + "?" + query.join("&");
  }

  function report(more) {
    var fields = fieldsOf(more || {});
    if (!fields) { return; }
    if (mayReport()) { send(fields); }
    else if (shared.consented === undefined && waiting.length < MOST_WAITING) {
      waiting.push(fields);
    }
  }

  function decide(given) {
    var held = waiting;
    waiting = [];
    if (given) { held.forEach(send); } else { ofThisVisit = ""; forget(); }
  }

  /* A change of route is a new page for the visitor; one that only changes the fragment is none. */
  function followRoutes() {
    var last = location.pathname + location.search;
    function changed() {
      var now = location.pathname + location.search;
      if (now !== last) { last = now; report(); }
    }
    ["pushState", "replaceState"].forEach(function (name) {
      var former = history[name];
      history[name] = function () {
        var answer = former.apply(history, arguments);
        changed();
        return answer;
      };
    });
    addEventListener("popstate", changed);
  }

  /* Several tags on a page share one decision; handbill.report speaks for the first of them. */
  shared.deciders = (shared.deciders || []).concat([decide]);
  shared.consent = function (given) {
    shared.consented = given === true;
    shared.deciders.forEach(function (each) { each(shared.consented); });
  };
  shared.report = shared.report || report;

  /* A page that is only prepared in advance has not been seen yet. */
  function begin() {
    report();
    if (configured("spa") === "true") { followRoutes(); }
  }
  if (document.prerendering) {
    document.addEventListener("prerenderingchange", begin, { once: true });
  } else {
    begin();
  }
})();
