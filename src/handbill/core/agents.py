"""Our own additions to, and exceptions from, the public list of programs' user agents.

An exception removes words from an agent before the public list reads it, so that the rest can still
be recognised as a program. An addition is a program missing in the public list.
**Source**: domain 7.4.
"""

import re
from typing import NamedTuple


class AgentPattern(NamedTuple):
    """A pattern in a user agent, and why it is there."""

    pattern: str
    why: str


_BROWSER = re.compile(r"(?:Mozilla/[45]\.0 \(|Opera/)")

PEOPLE = (
    AgentPattern(
        r"(?:WhatsApp|Viber|Line|KAKAOTALK|Flipboard|Feedly|tumblr)(?:[/ ][\w.]+)?$",
        "the browser within an app: a person has touched a link there",
    ),
    AgentPattern(r"Hatena(?:Bookmark)?(?:/[\w.]+)?$", "the browser within Hatena's app"),
    AgentPattern(
        r"\bSogou(?: ?MSE|MobileBrowser|Search(?:Browser)?\b)[^;)]*", "Sogou's browsers for people"
    ),
    AgentPattern(r"\bbaiduboxapp/\S+", "Baidu's app, with digits by chance"),
    AgentPattern(
        r"Android [\d.]+; ?(?:[a-z]{2}[-_][a-zA-Z]{2}; ?)?(?![^;)]*(?:https?:|@|compatible))[^;)]+",
        "the model of a telephone: some are called Bot, Spider, Fever or Cosmos",
    ),
)
"""Words that a person's browser may have, for agents that begin as a browser's does."""

PROGRAMS = (
    AgentPattern(r"^(?:-|null|none|undefined|unknown|user-agent.*)$", "no agent, in so many words"),
    AgentPattern(
        r"(?i)^(?:Java|Dalvik|Guzzle\w*|PostmanRuntime|Insomnia|Apache-Http\w*|Jakarta|ReactorNetty"
        r"|Vert\.x\S*|Jersey|ktor\S*|RestSharp|unirest\S*|Faraday|Typhoeus|HTTPie|http\.rb|HTTP"
        r"|httprb|Ruby|Mechanize|lua-resty\S*|Dart|reqwest|hyper|undici|node|node\.js|got|Deno|Bun"
        r"|superagent|needle|request|fetch|PHP|Symfony\S*|Zend\S*|Laravel\S*|Drupal\S*|Joomla\S*"
        r"|WordPress|Python\S*|urllib\S*|Perl|LWP\S*|libwww\S*|lwp\S*|curl\S*|libcurl\S*"
        r"|Wget\S*|aria2|Go-http\S*|fasthttp|req|resty|k6|Locust|JMeter|Artillery|PowerShell|WinHttp\S*"
        r"|Microsoft-CryptoAPI|Microsoft URL Control|Indy\S*|Swift\S*|Alamofire|okhttp|Cronet"
        r"|axios|aiohttp|httpx|HttpClient|HttpComponents|spray-can|akka-http|Finatra"
        r"|cpp-httplib|rest-client|Elixir|hackney|Tesla|mint|R|libsoup|Nim|Haskell|Clojure\S*|Scalaj\S*"
        r")(?:[/ (]|$)",
        "a library for HTTP, by its own name",
    ),
    AgentPattern(
        r"^(?!Mozilla/|Opera/|\[FB)(?!.*(?:iPhone|iPad|iPod|iOS|Android|HarmonyOS|KaiOS"
        r"|Windows Phone|MIDP|Symbian|SymbOS|BlackBerry|Nokia|SAMSUNG|SonyEricsson|UCWEB"
        r"|DoCoMo/|KDDI-|J-PHONE/|PalmSource|HbbTV/|;pr\(UCBrowser))"
        r"(?!(?:Lynx|E?Links|w3m|Emacs-w3m|URL/Emacs|edbrowse|retawq|amaya|Dillo|NetSurf|Midori"
        r"|Surf|luakit|uzbl|Galeon|iCab|OmniWeb|IBrowse)[/ ])",
        "no browser of people begins like this, and no telephone is named",
    ),
    AgentPattern(
        r"^Mozilla(?:/[\d.]+)?(?: (?:\((?:compatible;?|(?!compatible|PLAYSTATION 3|Win9)[^()]*)\)"
        r"|AppleWebKit|Gecko|Chrome|Safari|Firefox))?$",
        "says nothing but that it is a browser, and on which system",
    ),
    AgentPattern(
        r"^Mozilla/[45]\.0 (?![(\[])(?!.*(?:AppleWebKit|Gecko|Presto|Trident|MSIE|Opera|Linux;))",
        "a program that puts its name behind a browser's",
    ),
    AgentPattern(
        r"KHTML, like Gecko; ?\w|\bCloudflare[A-Z]\w+/| Time/\d{10,}$|\bgeckotrail\b",
        "a program that draws pages, and tells so where browsers tell nothing",
    ),
    AgentPattern(
        r"^Mozilla/5(?!.*MSIE ).*https?://"
        r"|^Mozilla/.*(?:\(via |[ (]www\.|\((?:[a-z0-9-]+\.)+[a-z]{2,}\))",
        "names a site: its own, or the one it fetches for",
    ),
    AgentPattern(r"^Mozlila/|\bBulid/", "a scanner that always misspells its browser"),
    AgentPattern(
        r"(?i)\b(?:wkhtmlto(?:pdf|image)|PDFreactor|PrinceXML|SlimerJS|CasperJS|jsdom|HappyDOM"
        r"|TestCafe|Nightmare|Splash|url2png|ApiFlash|Browsershots?|PTST|GTmetrix|Rigor|Catchpoint"
        r"|ZoteroTranslationServer|Google favicon)\b",
        "renders pages as pictures or papers, or to measure or test them",
    ),
    AgentPattern(
        r"(?i)\b(?:jsoup|HtmlUnit|prerender)\b|\bThunderbird/",
        "a program that reads pages behind a browser's name; Thunderbird hands links on",
    ),
    AgentPattern(
        r"\bCFNetwork/|\bDarwin/[\d.]+$", "Apple's library for HTTP: an app asks, no browser"
    ),
    AgentPattern(
        r"\b(?:(?:Windows)?PowerShell/|(?:Jakarta Commons|WinHttpRequest|HttpUrlConnection"
        r"|dart:io|HttpClient|http-client|ktor-client|OkHttp)\b)",
        "a library for HTTP",
    ),
    AgentPattern(
        r"\b(?:ms-office|MSOffice)\b|\bMicrosoft Outlook [\d.]+"
        r"|^Microsoft[ -](?:Office|Word|Excel|PowerPoint|Outlook|OneNote"
        r"|WebDAV|Data Access|Delve|Lync)|^Mac ?Outlook/|^Outlook-(?:iOS|Android)|^OneNote|^Word/"
        r"|^Excel/|^PowerPoint/",
        "Office asks before it hands a link to the browser",
    ),
    AgentPattern(
        r"(?i)\b(?:MicrosoftPreview|SkypeUriPreview|link ?preview|url ?preview|unfurl\w*"
        r"|ImageProxy|MailProxy|Snap URL|preview service)\b",
        "a messenger or mailer shows what is behind a link",
    ),
    AgentPattern(
        r"^(?:Viber|WhatsApp|Telegram|Signal|Line|Slack|Discord|Teams|Skype)[/ -][\w. ]*$",
        "a messenger itself, no browser: it shows what is behind a link",
    ),
    AgentPattern(
        r"(?i)\b(?:Barracuda\w*|Mimecast|Proofpoint|MessageLabs|Symantec|FireEye|IronPort|Sophos"
        r"|Forcepoint|Websense|TrendMicro|Trend Micro|FortiGuard|Fortinet|Avanan|Cloudmark"
        r"|Hornetsecurity|Vade ?Secure|Trustwave|Zix|SafeLinks?|Safe-?Browsing|urlscan|VirusTotal"
        r"|PhishTank|Netcraft|Palo ?Alto|Expanse|Censys\w*|Shodan|Zscaler|CheckPoint|Check ?Point"
        r"|Darktrace|Cyren|Spamhaus|SpamTitan|Mailguard|Abnormal ?Security|IRONSCALES|Cofense"
        r"|KnowBe4)\b",
        "a mail or web filter tries links before a person sees them",
    ),
    AgentPattern(
        r"(?:\(|[;)] )compatible; (?!MSIE|Konqueror|iCab|ABrowse|Amiga|Windows|U;|Linux|X11)",
        "says that it is only compatible with a browser: programs have said so since 1996",
    ),
    AgentPattern(
        r"(?i)\b(?:headless\w*|phantomjs|selenium|webdriver|puppeteer|playwright|cypress"
        r"|lighthouse)\b",
        "a browser that a program drives",
    ),
    AgentPattern(
        r"(?i)\b(?:Amazon-Nova-Act|NovaAct|ChatGPT[ -]Agent|OpenAI-Operator|Browserless|Browserbase"
        r"|Hyperbrowser|Stagehand|Skyvern|browser-use|AgentQL|Crawlee|Apify|Zyte|Scrap(?:ing|er)\w+"
        r"|BrightData|BrowserStack|SauceLabs|LambdaTest|TestingBot|Applitools|Percy/|Chromatic)",
        "a service that drives browsers: for an agent of AI, to read pages, or to test them",
    ),
    AgentPattern(
        r"(?i)synthetics?\b|\b(?:NewRelicPinger|SpeedCurve|DebugBear|WebPageTest|Hyperping"
        r"|Freshping|Uptrends|updown\.io|Sematext|Assetnote|BuiltWith|Wappalyzer"
        r"|SecurityScorecard|BitSight|UpGuard|Netsparker|Invicti|Nessus|Tenable"
        r"|Siteimprove|pa11y|Monsido"
        r"|ContentKing|JetOctopus|Ubersuggest|SISTRIX|Ryte|Siteliner|Copyscape|Adbeat|ScreenshotOne|urlbox"
        r"|Snapito|MailMarshal)\b",
        "measures, tests or pictures sites by itself",
    ),
    AgentPattern(
        r"\+(?:https?://|mailto:)|[\w.+-]@[\w-]+\.[a-z]{2,}|[a-zA-Z]-Google\b"
        r"|\bGoogle Page ?Speed|\bGoogle-Ads-",
        "tells site owners whom to ask, as programs do; or is one of Google's programs",
    ),
    AgentPattern(
        r"(?i)(?:\b|_)(?:crawler|spider|scraper|archiver|fetcher|monitor(?:ing)?|checker"
        r"|link-?check\w*|validator|uptime\w*|bot)(?:/[\d.]+|\b(?=[;)]|$)| by )"
        r"|[a-z_](?:bot|crawler|scraper|monitor(?:ing)?|checker|scanner|collector|measurement"
        r"|inspector|radar)(?:/[\d.]|$)|[a-z]bot-thumb|this is a crawler|https?://\S*(?:bot|crawl)",
        "names its trade",
    ),
)
"""Programs that the public list does not know."""

_MOST_NAME = 40
_FIRST = re.compile(r"\s*([\w.!#$%&'*+^`|~-]+)", re.ASCII)
_NAMED = re.compile(r"\(compatible; ([\w.-]+)", re.ASCII)
_people = re.compile("|".join(sign.pattern for sign in PEOPLE))
_ANY_CASE = "(?i)"
_CAPITAL = re.compile(r"\\.|[A-Z]")


def _small(pattern: str) -> str:
    """The pattern in small letters, except what follows a backslash."""
    return _CAPITAL.sub(lambda one: one[0] if len(one[0]) > 1 else one[0].lower(), pattern)


# Words in any case are sought in small letters: the compiler skips words by their first letter
# then, which takes a third of the time.
_in_any_case = tuple(
    re.compile(_small(sign.pattern.removeprefix(_ANY_CASE)))
    for sign in PROGRAMS
    if sign.pattern.startswith(_ANY_CASE)
)
_as_written = tuple(
    re.compile(sign.pattern) for sign in PROGRAMS if not sign.pattern.startswith(_ANY_CASE)
)


def without_people(agent: str) -> str:
    """The agent without the words that make the public list take people for programs."""
    return _people.sub("", agent) if _BROWSER.match(agent) else agent


def is_program(agent: str) -> bool:
    """Whether one of our own additions matches an agent returned by ``without_people``."""
    small = agent.lower()
    return any(sign.search(agent) for sign in _as_written) or any(
        sign.search(small) for sign in _in_any_case
    )


def program_of(agent: str) -> str:
    """The name of a program without its version: its first word, or the one after a browser's name.
    **Shape**: at most 40 characters, lower case; "-" for none.
    """
    named = _NAMED.search(agent) or _FIRST.match(agent)
    return named[1][:_MOST_NAME].lower() if named else "-"
