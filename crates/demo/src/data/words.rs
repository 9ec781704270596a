//! Invented names, streets and notes the records are made of.
//! Exports word lists. Phone numbers and mail domains are those reserved for fiction and documentation.
//! Used by the other modules of data.
//! Start reading anywhere.

/// Given names.
pub const GIVEN: &[&str] = &[
    "Aaliyah",
    "Agnieszka",
    "Aino",
    "Alejandro",
    "Amara",
    "Anaïs",
    "Anders",
    "Bence",
    "Björn",
    "Bronagh",
    "Carmela",
    "Chidi",
    "Chloé",
    "Dilara",
    "Dmytro",
    "Eilidh",
    "Élodie",
    "Emre",
    "Fatoumata",
    "Ferran",
    "Freja",
    "Giulia",
    "Gwen",
    "Hana",
    "Haruto",
    "Henrike",
    "Ingrid",
    "Ioana",
    "Jörg",
    "João",
    "Kamal",
    "Katarzyna",
    "Kwame",
    "Leïla",
    "Lukáš",
    "Mairead",
    "Małgorzata",
    "Matteo",
    "Mei-Ling",
    "Niamh",
    "Noor",
    "Olamide",
    "Ömer",
    "Paweł",
    "Priya",
    "Quentin",
    "Raúl",
    "Rosalind",
    "Saoirse",
    "Siobhán",
    "Søren",
    "Tadeusz",
    "Tomás",
    "Ulrike",
    "Vasile",
    "Wiktoria",
    "Xavier",
    "Yara",
    "Zoltán",
    "Žofia",
];

/// Family names.
pub const FAMILY: &[&str] = &[
    "Achterberg",
    "Adeyemi",
    "Almeida",
    "Andersson",
    "Baptiste",
    "Bielak",
    "Brânză",
    "Castellane",
    "Çelik",
    "Dahlström",
    "De Groot",
    "Dubrovsky",
    "Eriksen",
    "Falkenrath",
    "Fernández",
    "Gallagher",
    "García-Prado",
    "Grünwald",
    "Haddad",
    "Håkansson",
    "Horváth",
    "Ibrahimović",
    "Jankowska",
    "Kavanagh",
    "Kowalczyk",
    "Lindqvist",
    "Lefèvre",
    "MacAllister",
    "Mbeki-Rowe",
    "Moreau",
    "Müller-Lange",
    "Nakamura",
    "Novák",
    "O'Brien",
    "O'Donoghue",
    "Okafor",
    "Øverland",
    "Pereira",
    "Petrescu",
    "Quigley",
    "Ravensworth",
    "Rossi",
    "Sánchez",
    "Schäfer",
    "Singh",
    "Skov",
    "Szabó",
    "Tanaka",
    "Thibault",
    "Underhill",
    "Van der Meer",
    "Vasquez",
    "Wąsik",
    "Whitlock",
    "Yıldız",
    "Zelenko",
    "Zimmermann",
];

/// What firms are called, first half.
pub const FIRM: &[&str] = &[
    "Alderbrook",
    "Amberfield",
    "Birchmoor",
    "Bluestone",
    "Castlegate",
    "Copperline",
    "Eastwharf",
    "Elmcroft",
    "Fenwick",
    "Goldhaven",
    "Greyfriars",
    "Harbour Lane",
    "Ironbridge",
    "Juniper",
    "Kestrel",
    "Larkspur",
    "Linden",
    "Marlowe",
    "Northgate",
    "Oakhurst",
    "Pinewood",
    "Quayside",
    "Redfern",
    "Saltmarsh",
    "Silverbeck",
    "Stonebridge",
    "Thornbury",
    "Tidewater",
    "Westmere",
    "Willowdale",
    "Wolkenstein",
    "Yarrow",
];

/// What firms do, second half.
pub const TRADE: &[&str] = &[
    "Bakery",
    "Bibliothek",
    "Care Homes",
    "Cold Storage",
    "Dairy",
    "Dental Practice",
    "Gärtnerei",
    "Grundschule",
    "Hotel",
    "Housing Association",
    "Kindergarten",
    "Laundry",
    "Leisure Centre",
    "Logistics",
    "Museum",
    "Orchards",
    "Pharma",
    "Print Works",
    "Property Management",
    "Seniorenresidenz",
    "Studios",
    "Textiles",
    "Veterinary Clinic",
    "Wohnungsbau",
];

/// A country: code, legal form of firms, town, telephone prefix reserved for fiction, currency.
pub type Country = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// Where the customers live. Towns are real, streets are not.
pub const COUNTRIES: &[Country] = &[
    ("GB", "Ltd", "Leeds", "+44 113 496 0", "GBP"),
    ("GB", "Ltd", "Bristol", "+44 117 496 0", "GBP"),
    ("GB", "LLP", "Sheffield", "+44 114 496 0", "GBP"),
    ("IE", "DAC", "Cork", "+353 20 910 0", "EUR"),
    ("DE", "GmbH", "Bremen", "+49 30 23125 0", "EUR"),
    ("DE", "AG", "Görlitz", "+49 69 90009 0", "EUR"),
    ("FR", "SARL", "Angoulême", "+33 1 99 00 0", "EUR"),
    ("NL", "B.V.", "Zwolle", "+31 20 530 0", "EUR"),
    ("PL", "sp. z o.o.", "Łódź", "+48 12 555 0", "EUR"),
    ("ES", "S.L.", "Logroño", "+34 910 550 ", "EUR"),
];

/// Streets, none of them anybody's.
pub const STREETS: &[&str] = &[
    "Boiler Row",
    "Chaffinch Close",
    "Am Alten Kesselhaus",
    "Kupfergasse",
    "Rue du Radiateur",
    "Impasse des Tilleuls Bleus",
    "Ketelmakersgracht",
    "ulica Ciepła Boczna",
    "Calle de la Brasa",
    "Foundry Walk",
    "Gasworks Terrace",
    "Heron Court",
    "Lower Ember Street",
    "Mill Race Lane",
    "Nordwindweg",
    "Old Pump Yard",
    "Radiator Mews",
    "Schlossermauer",
    "St Clement's Rise",
    "Thermal Way",
    "Vier-Jahreszeiten-Allee",
    "Weavers' Cut",
];

/// What customers report, each in the language of the person: language, text.
pub const REPORTS: &[(&str, &str)] = &[
    (
        "en",
        "Boiler shows fault E133 since this morning, no hot water on the second floor.",
    ),
    (
        "en",
        "Radiators in the east wing stay cold although the pump is running.",
    ),
    (
        "en",
        "Pressure drops below 0.8 bar every night; we top up daily.",
    ),
    (
        "en",
        "Annual service is due. Please ring the porter's lodge first, the dog is friendly.",
    ),
    (
        "en",
        "Drip under the expansion vessel, a bucket is in place.",
    ),
    (
        "en",
        "Please select seats from the union hall plan: heating is off where Mrs O'Brien sits; drop by before 9.",
    ),
    (
        "de",
        "Die Fußbodenheizung im Erdgeschoss wird nicht warm; im Keller riecht es nach Öl.",
    ),
    (
        "de",
        "Wärmepumpe meldet »Hochdruckstörung«, Neustart hilft nur für zehn Minuten.",
    ),
    (
        "de",
        "Wartung fällig – bitte zwischen 7 und 9 Uhr, danach ist Unterricht.",
    ),
    (
        "fr",
        "La chaudière s'arrête toute seule vers midi, l'affichage clignote « F28 ».",
    ),
    (
        "fr",
        "Fuite légère au niveau du circulateur ; c'est sans urgence, mais ça tache le sol.",
    ),
    (
        "es",
        "El termostato de la planta baja no responde y la caldera no arranca por la noche.",
    ),
    (
        "pl",
        "Grzejniki w sali 12 są zimne, a ciśnienie spada codziennie o pół bara.",
    ),
    (
        "nl",
        "De ketel maakt een bonkend geluid; storing 4B, reset helpt niet.",
    ),
    (
        "sv",
        "Värmepumpen larmar för låg köldbärartemperatur och elpatronen går hela tiden.",
    ),
    ("tr", "Kombi sürekli basınç kaybediyor, sıcak su gelmiyor."),
];

/// What was done: language, text.
pub const RESOLUTIONS: &[(&str, &str)] = &[
    (
        "en",
        "Replaced the three-way valve and bled the circuit. Flow and return within 12 K.",
    ),
    (
        "en",
        "Descaled the plate exchanger; hot water at 52 °C after four minutes.",
    ),
    (
        "en",
        "Annual service done, electrode renewed, combustion 9.1 % CO2.",
    ),
    (
        "de",
        "Umwälzpumpe getauscht, Anlage gespült und auf 1,6 bar gefüllt.",
    ),
    (
        "de",
        "Vorlauffühler ersetzt. Heizkurve auf 0,9 gestellt, Kunde eingewiesen.",
    ),
    (
        "fr",
        "Vase d'expansion regonflé à 1 bar, soupape remplacée, essai concluant.",
    ),
    (
        "pl",
        "Wymieniono elektrodę i uszczelkę, odpowietrzono instalację.",
    ),
    (
        "es",
        "Sustituido el ventilador; presión estable tras dos horas de prueba.",
    ),
];

/// What the office writes where no customer should read it.
pub const INTERNAL_NOTES: &[&str] = &[
    "Customer disputes the last two invoices; do not promise a discount on site.",
    "Third visit for the same leak. Warranty claim against the manufacturer is being prepared, say nothing.",
    "Caretaker is on sick leave, his wife opens; she asked us not to mention it to the owner.",
    "Margin already below 8 %. Use van stock, no express deliveries.",
    "Partner arrived late twice in October; if it happens again we move the district.",
    "Kunde zahlt schleppend, nur gegen Vorkasse weiterarbeiten.",
    "Old asbestos board behind the boiler reported to the owner in writing on 3 February.",
    "Competitor quoted 11 % less for the frame contract; board decides on Thursday.",
    "Key holder argues with neighbours: come in plain car, ring twice.",
    "Tenant is a member of staff's family; second signature required above 200.",
];

/// What dispatchers write to each other.
pub const DISPATCH_NOTES: &[&str] = &[
    "Put with the morning round, parking only before eight.",
    "Swap with Thursday if Leeds is snowed in.",
    "Needs two people: flue on the roof.",
    "Nicht vor 10 Uhr, Alarmanlage.",
    "Take the long ladder from van 12.",
    "Prefer the crew from last time, customer asked for them.",
];

/// Makers and models of plants: maker, model, type.
pub const MODELS: &[(&str, &str, &str)] = &[
    ("Kaltwasser", "Brio 24 C", "gas_boiler"),
    ("Kaltwasser", "Brio 35 S", "gas_boiler"),
    ("Nordflamm", "NF 60 Kaskade", "gas_boiler"),
    ("Nordflamm", "Öl-Kompakt 18", "oil_boiler"),
    ("Ventara", "AirLift 9", "heat_pump"),
    ("Ventara", "AirLift 14 Duo", "heat_pump"),
    ("Geotherma", "Sole 22", "heat_pump"),
    ("Brisa Fría", "Polar 40", "chiller"),
    ("Brisa Fría", "Polar 90", "chiller"),
    ("Halcyon", "Roofline VRF 6", "air_conditioner"),
];

/// Articles: code letters, name, unit, list price in hundredths.
pub const ARTICLES: &[(&str, &str, &str, i64)] = &[
    ("FLT", "Filter cartridge", "piece", 1_890),
    ("PMP", "Circulation pump", "piece", 28_450),
    ("VLV", "Three-way valve", "piece", 11_920),
    ("SEN", "Flow temperature sensor", "piece", 3_475),
    ("IGN", "Ignition electrode", "piece", 2_640),
    ("EXP", "Expansion vessel", "piece", 7_850),
    ("PCB", "Control board", "piece", 31_900),
    ("FAN", "Combustion fan", "piece", 19_875),
    ("GSK", "Gasket set", "set", 1_245),
    ("GLY", "Heat transfer fluid", "litre", 685),
    ("PIP", "Copper pipe 22 mm", "metre", 980),
    ("THR", "Room thermostat", "piece", 8_990),
];

/// What technicians know.
pub const SKILLS: &[&str] = &[
    "gas",
    "oil",
    "heat_pump",
    "refrigerant_class_1",
    "electrical",
    "solar",
    "controls",
    "welding",
    "confined_space",
];

/// Why somebody was away. Nobody outside the company is to know.
pub const ABSENCES: &[&str] = &[
    "annual leave",
    "parental leave",
    "training",
    "sick leave",
    "jury duty",
];
