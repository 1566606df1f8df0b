"""The content of made-up jobs: trades with their titles and duties, towns, employers."""

from typing import NamedTuple


class TradeWords(NamedTuple):
    category: str
    titles: tuple[str, ...]
    pay: tuple[int, int]
    """Lowest and highest pay: per hour below 1,000, else per year."""
    duties: tuple[str, ...]
    wishes: tuple[str, ...]


class Town(NamedTuple):
    city: str
    state: str
    country: str
    zips: tuple[str, ...]


TRADES = (
    TradeWords(
        "Healthcare",
        (
            "Registered Nurse - ICU",
            "Registered Nurse, Medical/Surgical",
            "Licensed Practical Nurse",
            "Physical Therapist",
            "Certified Nursing Assistant (Nights)",
            "Pharmacy Technician",
        ),
        (24, 68),
        (
            "assess patients on admission and keep their charts complete and current",
            "give medication and treatment as ordered, and watch for adverse effects",
            "hand over to the next shift in person, patient by patient",
            "teach patients and their families what to do once they are home",
            "work with physicians, therapists and social workers on a plan of care",
        ),
        (
            "an active state license in good standing",
            "current BLS; ACLS within six months",
            "one year in an acute-care setting, or a strong residency",
            "calm and courteous manners at the bedside",
        ),
    ),
    TradeWords(
        "Transportation",
        (
            "CDL-A Truck Driver – Regional",
            "Delivery Driver (no CDL)",
            "Route Driver",
            "Owner Operator, Dry Van",
            "School Bus Driver",
            "Forklift Operator",
        ),
        (19, 38),
        (
            "drive a late-model tractor on regional routes of 350 to 500 miles a day",
            "inspect the vehicle before and after every trip and write down defects",
            "secure, check and document the load",
            "keep hours of service in the electronic log",
            "be the face of the company at the customer's dock",
        ),
        (
            "a valid license of the right class with a clean record of three years",
            "the ability to lift 50 lb again and again",
            "a current DOT medical card",
            "readiness to be away two nights a week",
        ),
    ),
    TradeWords(
        "Information Technology",
        (
            "Senior Software Engineer (Python)",
            "Data Engineer",
            "Site Reliability Engineer",
            "Front-end Developer, React",
            "IT Support Specialist II",
            "Security Analyst",
        ),
        (62_000, 185_000),
        (
            "design, build and run services that a few million people rely on",
            "review the work of others with care and take review of your own with grace",
            "measure first, then make the slow parts fast",
            "share an on-call rota of one week in six",
            "write documents that spare the next reader a meeting",
        ),
        (
            "three or more years with a language that we use, or one close to it",
            "sound knowledge of SQL and of how a database goes about answering it",
            "a degree, or work that speaks for itself",
            "clear written English",
        ),
    ),
    TradeWords(
        "Retail",
        (
            "Assistant Store Manager",
            "Cashier / Sales Associate",
            "Stock Associate – Overnight",
            "Visual Merchandiser",
            "Key Holder (Part-Time)",
            "Department Lead: Garden",
        ),
        (14, 31),
        (
            "greet customers, find out what they came for, and see that they leave with it",
            "keep shelves full, priced and in order",
            "open and close the store, count the till",
            "train new colleagues on the register",
            "unload the truck on Tuesdays and Fridays",
        ),
        (
            "weekend and evening availability",
            "six months behind a counter is a plus",
            "being able to stand and walk for a whole shift",
            "a friendly word for everyone",
        ),
    ),
    TradeWords(
        "Warehouse & Logistics",
        (
            "Warehouse Associate",
            "Order Picker, 2nd Shift",
            "Shipping & Receiving Clerk",
            "Inventory Control Specialist",
            "Material Handler",
            "Dock Supervisor",
        ),
        (17, 33),
        (
            "pick, pack and ship to the target of the shift without cutting corners on safety",
            "receive goods, check them against the order and put them away by scanner",
            "count cycle stock and chase down what does not match",
            "drive reach trucks and pallet jacks (we train and certify)",
            "keep aisles, docks and charging stations clear",
        ),
        (
            "being at ease with a hand scanner",
            "lifting up to 60 lb with proper technique",
            "basic English for safety briefings",
            "overtime in November and December",
        ),
    ),
    TradeWords(
        "Finance & Accounting",
        (
            "Staff Accountant",
            "Accounts Payable Clerk",
            "Financial Analyst",
            "Payroll Specialist",
            "Loan Officer",
            "Internal Auditor",
        ),
        (48_000, 112_000),
        (
            "close the month within five working days",
            "reconcile accounts and explain every break",
            "prepare the forecast together with the heads of department",
            "answer auditors' questions before they are asked twice",
            "keep vendor records tidy and payments on time",
        ),
        (
            "a bachelor's degree in accounting, finance or a like subject",
            "spreadsheets that others can follow",
            "CPA or progress toward it is welcome",
            "discretion with confidential matters",
        ),
    ),
    TradeWords(
        "Hospitality",
        (
            "Line Cook",
            "Front Desk Agent",
            "Housekeeping Supervisor",
            "Banquet Server",
            "Restaurant General Manager",
            "Barista & Café Host",
        ),
        (15, 36),
        (
            "prepare your station before service and leave it cleaner than you found it",
            "welcome guests, check them in and put right what went wrong on the way",
            "keep to recipes, portions and the allergen list",
            "look after floors three to six with a team of eight",
            "cover a neighbouring station when it gets busy",
        ),
        (
            "a food handler's card, or getting one in the first week",
            "experience in a full-service kitchen or hotel",
            "holidays and weekends as scheduled",
            "a second language is a plus",
        ),
    ),
    TradeWords(
        "Skilled Trades",
        (
            "Journeyman Electrician",
            "HVAC Service Technician",
            "Maintenance Mechanic (3rd shift)",
            "CNC Machinist",
            "Welder – MIG/TIG",
            "Plumber, Residential Service",
        ),
        (23, 52),
        (
            "find the fault, tell the customer what it costs, and fix it the same day",
            "read drawings and run conduit to code",
            "do preventive maintenance by the calendar",
            "set up, run and offset machines to a tolerance of half a thousandth",
            "take an apprentice along and teach as you go",
        ),
        (
            "a journeyman's card or five years in the trade",
            "your own hand tools",
            "a driver's license and a clean record",
            "no fear of heights, crawl spaces or weather",
        ),
    ),
)

OPENINGS = (
    "{company} in {city} is looking for a {title} to join a team that has been together for years.",
    "Are you a {title} who likes to see the results of a day's work? Then meet {company}.",
    "We are growing in {city}, {state}, and need a dependable {title} & a good colleague.",
    "{company} — family-owned since {year} — offers a steady position as {title}.",
    "Our {city} location has an opening for a {title}; the post is new & budgeted.",
    "Tired of the commute? {company} hires a {title} close to home, right here in {city}.",
)
OFFERS = (
    "medical, dental & vision from the first of the month",
    "401(k) with a match of {match}%",
    "{days} days of paid time off in the first year",
    "paid training & a raise after ninety days",
    "a signing bonus of ${bonus}",
    "weekly pay, and the schedule two weeks ahead",
    "tuition assistance up to $5,250 a year",
    "free parking, or a transit pass",
)
CLOSINGS = (
    (
        "{company} is an equal opportunity employer. All qualified applicants receive "
        "consideration without regard to race, color, religion, sex, national origin, disability "
        "or veteran status."
    ),
    (
        "Applying takes about three minutes & you need no cover letter. We answer everybody "
        "within five working days."
    ),
    "If you need an accommodation at any stage of the process, tell us and we will make it work.",
    "Reference {ref}: please quote it when you call. No agencies, please.",
)

_TOWNS = """Austin|TX|US|78701 78704 78745 78758
Houston|TX|US|77002 77036 77084 77449
Dallas|TX|US|75201 75217 75243
San Antonio|TX|US|78207 78228 78245
Los Angeles|CA|US|90001 90011 90026 90044
San Diego|CA|US|92101 92105 92154
Fresno|CA|US|93702 93722
Sacramento|CA|US|95820 95823
New York|NY|US|10001 10025 11206 11368
Buffalo|NY|US|14201 14215
Chicago|IL|US|60601 60618 60629 60647
Rockford|IL|US|61101 61109
Phoenix|AZ|US|85003 85033 85041
Tucson|AZ|US|85705 85706
Philadelphia|PA|US|19103 19120 19124
Pittsburgh|PA|US|15206 15212
Columbus|OH|US|43201 43229
Cleveland|OH|US|44102 44111
Jacksonville|FL|US|32210 32244
Miami|FL|US|33125 33186
Orlando|FL|US|32801 32822
Charlotte|NC|US|28205 28269
Raleigh|NC|US|27601 27610
Seattle|WA|US|98103 98118
Spokane|WA|US|99201 99205
Denver|CO|US|80202 80219
Boston|MA|US|02108 02124
Worcester|MA|US|01604 01609
Nashville|TN|US|37203 37211
Memphis|TN|US|38109 38118
Detroit|MI|US|48201 48228
Minneapolis|MN|US|55401 55407
St. Louis|MO|US|63103 63116
Kansas City|MO|US|64106 64127
Las Vegas|NV|US|89101 89110
Portland|OR|US|97201 97217
Atlanta|GA|US|30303 30318
Coeur d'Alene|ID|US|83814 83815
Toronto|ON|CA|M5V 2T6|M4C 1B5
Vancouver|BC|CA|V5K 0A1|V6B 1A1
Montréal|QC|CA|H2X 1Y4|H3A 0G4
London|England|GB|EC1A 1BB|SE1 9GF
Manchester|England|GB|M1 1AE|M14 5TP
München|Bayern|DE|80331 80469
Köln|Nordrhein-Westfalen|DE|50667 50823"""

TOWNS = tuple(
    Town(city, state, country, tuple(zips if len(zips) > 1 else zips[0].split()))
    for city, state, country, *zips in (line.split("|") for line in _TOWNS.splitlines())
)

_NAMES = """
    Alder Bright Cedar Copper Crown Delta Eagle Fair Garnet Granite Harbor Hearth Juniper
    Lake Lantern Maple Meridian North Oak Pioneer Quarry Redwood River Silver Spruce
    Summit Union Valley West Willow
"""
_SECOND = {
    "Healthcare": "Health|Medical Center|Care Partners|Hospital & Clinics|Senior Living",
    "Transportation": "Freight|Logistics|Carriers, Inc.|Trucking Co.|Transit",
    "Information Technology": "Software|Systems|Data Works|Labs|Cloud",
    "Retail": "Stores|Market|Outfitters|Home & Garden|Grocers",
    "Warehouse & Logistics": "Distribution|Fulfillment|Supply|Warehousing|Logistics Group",
    "Finance & Accounting": "Bank|Credit Union|Financial|Insurance|Accounting & Tax",
    "Hospitality": "Hotels|Inn & Suites|Kitchen|Resorts|Café",
    "Skilled Trades": "Electric|Mechanical|Manufacturing|Plumbing & Heating|Fabrication",
}
COMPANIES = {
    category: tuple(
        f"{first} {second}" for first in _NAMES.split() for second in seconds.split("|")
    )
    for category, seconds in _SECOND.items()
}
