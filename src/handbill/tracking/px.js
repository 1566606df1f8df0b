/* Handbill pixel. Keeps the click id of the visit and reports an action.
   <script async src="https://EDGE/px.js" data-c="PIXEL" data-a="1" data-r="JOB"
           data-job-application-id="APPLICATION"></script>
   a: 1 view, 2 apply start, 3 apply. */
(function () {
  "use strict";
  var NAME = "jClickId", TWO_YEARS_S = 63072000;
  var script = document.currentScript;
  if (!script) { return; }

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

  function report() {
    var click = fromQuery();
    if (click) { keep(click); } else { click = fromCookie() || fromStorage(); }
    var fields = {
      c: configured("c"), a: configured("a"), r: configured("r"), jClickId: click,
      jobApplicationId: configured("job-application-id", "jobApplicationId"),
      candidateId: configured("candidate-id", "candidateId"),
      loc: document.referrer.slice(0, 1024)
    };
    var query = [];
    for (var name in fields) {
      if (fields[name]) { query.push(name + "=" + encodeURIComponent(fields[name])); }
    }
    new Image().src = script.src.replace(/px\.js([?#].*)?$/, "px.gif") + "?" + query.join("&");
  }

  /* A page that is only prepared in advance has not been seen yet. */
  if (document.prerendering) {
    document.addEventListener("prerenderingchange", report, { once: true });
  } else {
    report();
  }
})();
