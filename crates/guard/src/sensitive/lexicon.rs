//! What single words are known to be: a table of hashes, so that half a megabyte says it of eighty thousand words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A given name.
pub const FIRST: u16 = 1;
/// A family name.
pub const LAST: u16 = 1 << 1;
/// A word that is mostly written in lower case, often.
pub const ORDINARY: u16 = 1 << 2;
/// The same, seldom.
pub const SELDOM: u16 = 1 << 3;
/// Stands before a name: "Mrs", "Dr".
pub const TITLE: u16 = 1 << 4;
/// A kind of street.
pub const STREET: u16 = 1 << 5;
/// A country or a state.
pub const PLACE: u16 = 1 << 6;
/// A part of a building.
pub const UNIT: u16 = 1 << 7;
/// A kind of organisation.
pub const ORGANISATION: u16 = 1 << 8;
/// A month or a day of the week.
pub const DATE: u16 = 1 << 9;
/// An abbreviated state or province.
pub const STATE: u16 = 1 << 10;

/// A product, a program or a company: no person.
pub const PRODUCT: u16 = 1 << 11;

/// How many bits of an entry are classes; the rest is of the word's hash.
const CLASSES: u32 = 12;
/// Longer words are known by their beginning.
const MAX_CHARS: usize = 48;

/// The hash of a word, whatever its case.
pub fn hash(word: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut step = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    if word.is_ascii() {
        word.bytes().take(MAX_CHARS).for_each(|byte| step(byte.to_ascii_lowercase()));
    } else {
        let mut buffer = [0; 4];
        for letter in word.chars().take(MAX_CHARS).flat_map(char::to_lowercase) {
            letter.encode_utf8(&mut buffer).bytes().for_each(&mut step);
        }
    }
    hash
}

/// `word` without its accents.
fn plain(word: &str) -> String {
    word.chars().take(MAX_CHARS).nfd().filter(|letter| !is_combining_mark(*letter)).collect()
}

/// The table.
#[derive(Debug, Clone, Copy)]
pub struct Lexicon<'a> {
    table: &'a [[u8; 4]],
}

impl<'a> Lexicon<'a> {
    /// The lexicon in `bytes`, a power of two of entries. None where they are not.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (table, rest) = bytes.as_chunks::<4>();
        (table.len().is_power_of_two() && rest.is_empty()).then_some(Self { table })
    }

    /// The classes of a word, with its accents or without.
    pub fn classes(&self, word: &str, hashed: u64) -> u16 {
        let exact = self.entry(hashed);
        if word.is_ascii() { exact } else { exact | self.entry(hash(&plain(word))) }
    }

    fn entry(&self, hashed: u64) -> u16 {
        let mask = self.table.len() - 1;
        let (mut at, print) = place(hashed, mask);
        // The table is never full, but a damaged one may be.
        for _ in 0..self.table.len() {
            let entry = u32::from_le_bytes(self.table[at]);
            if entry == 0 {
                return 0;
            }
            if entry >> CLASSES == print {
                return (entry & ((1 << CLASSES) - 1)) as u16;
            }
            at = (at + 1) & mask;
        }
        0
    }
}

fn place(hashed: u64, mask: usize) -> (usize, u32) {
    let mixed = hashed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> 40) as usize & mask, (mixed as u32) >> CLASSES)
}

/// A table of `1 << bits` entries for `words` with their classes. Words that share an entry share their classes.
pub fn build(bits: u32, words: &[(String, u16)]) -> Vec<u8> {
    let mask = (1_usize << bits) - 1;
    let mut table = vec![0_u32; mask + 1];
    for (word, classes) in words {
        let (mut at, print) = place(hash(word), mask);
        while table[at] != 0 && table[at] >> CLASSES != print {
            at = (at + 1) & mask;
        }
        table[at] |= print << CLASSES | u32::from(*classes);
    }
    table.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// Words of closed classes: titles, streets, countries, states, months.
pub fn closed() -> Vec<(String, u16)> {
    let mut words = Vec::new();
    for (list, class) in LISTS {
        words.extend(list.split_whitespace().map(|word| (word.to_owned(), *class)));
    }
    words
}

const LISTS: &[(&str, u16)] = &[
    (
        "mr mrs ms miss mx dr doctor prof professor sir madam lady lord dame rev reverend fr father sister brother judge \
         justice senator sen rep representative governor gov president chancellor minister mayor captain capt colonel col \
         general gen lt lieutenant sgt sergeant major officer detective attorney chef coach king queen prince princess pope \
         saint herr frau señor señora señorita sr sra srta don doña monsieur madame mme mlle m. signor signora sig dott \
         meneer mevrouw pan pani dhr mevr shri smt hon uncle aunt auntie grandma grandpa cousin",
        TITLE,
    ),
    (
        "street st avenue ave av road rd lane ln drive dr boulevard blvd court ct place pl terrace ter way parkway pkwy \
         highway hwy circle cir square sq trail trl loop alley crescent cres close row walk gardens grove mews quay rise \
         path plaza plz turnpike tpke crossing xing pike route rte freeway fwy expressway estate estates \
         strasse straße str gasse platz weg allee ring ufer damm rue quai chemin impasse allée route cours \
         calle c avenida avda plaza paseo carretera ctra ronda camino pasaje callejón via viale piazza corso vicolo largo \
         strada rua travessa praça alameda estrada ulica ul ulitsa aleja al osiedle os straat laan plein gracht kade \
         väg vägen gatan gata gade vej katu tie tänav sokak sokağı cadde caddesi mahallesi jalan jl gang gg utca út tér \
         bulevardul strada intrarea náměstí třída rond",
        STREET,
    ),
    (
        "apt apartment suite ste flat unit room rm floor fl building bldg block blk lot po box p.o studio tower house \
         appartement étage bât bâtiment piso puerta planta escalera edif edificio depto departamento interior int wohnung \
         stock etage apto andar lote mieszkanie m lok apo fpo dpo psc ship uss usns usnv uscgc",
        UNIT,
    ),
    (
        "inc ltd llc corp corporation company co gmbh ag sa sas plc university college institute school bank group hospital \
         church club fc united association foundation council committee ministry department agency office press times post \
         news museum airport station hotel restaurant party parliament congress senate court army navy police league cup \
         championship festival records studios holdings partners society union federation library centre center theatre",
        ORGANISATION,
    ),
    (
        "january february march april may june july august september october november december jan feb mar apr jun jul aug \
         sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thurs fri sat \
         sun christmas easter halloween thanksgiving ramadan diwali",
        DATE,
    ),
    (
        "afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan bahamas bahrain bangladesh \
         barbados belarus belgium belize benin bhutan bolivia bosnia botswana brazil brunei bulgaria burundi cambodia cameroon \
         canada chad chile china colombia congo croatia cuba cyprus czechia denmark djibouti dominica ecuador egypt eritrea \
         estonia ethiopia fiji finland france gabon gambia germany ghana greece grenada guatemala guinea guyana haiti honduras \
         hungary iceland india indonesia iran iraq ireland israel italy jamaica japan kazakhstan kenya kiribati korea kosovo \
         kuwait kyrgyzstan laos latvia lebanon lesotho liberia libya liechtenstein lithuania luxembourg macedonia madagascar \
         malawi malaysia maldives mali malta mauritania mauritius mexico micronesia moldova monaco mongolia montenegro morocco \
         mozambique myanmar namibia nauru nepal netherlands nicaragua niger nigeria norway oman pakistan palau palestine panama \
         paraguay peru philippines poland portugal qatar romania russia rwanda samoa senegal serbia seychelles singapore \
         slovakia slovenia somalia spain sudan suriname swaziland sweden switzerland syria taiwan tajikistan tanzania thailand \
         togo tonga trinidad tunisia turkey turkmenistan tuvalu uganda ukraine uruguay uzbekistan vanuatu venezuela vietnam \
         yemen zambia zimbabwe england scotland wales usa uk uae europe asia africa america antarctica \
         alabama alaska arizona arkansas california colorado connecticut delaware florida hawaii idaho illinois indiana iowa \
         kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska \
         nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia washington wisconsin wyoming ontario \
         quebec alberta manitoba saskatchewan newfoundland deutschland españa italia österreich schweiz suisse brasil polska \
         london paris berlin madrid rome tokyo beijing shanghai moscow chicago boston houston dallas seattle atlanta miami \
         toronto vancouver sydney melbourne dubai mumbai delhi amsterdam brussels vienna zurich geneva munich hamburg \
         barcelona lisbon dublin edinburgh manchester liverpool glasgow stockholm oslo copenhagen helsinki warsaw prague \
         budapest istanbul athens cairo lagos nairobi philadelphia phoenix detroit denver",
        PLACE,
    ),
    (
        "ak al ar as az ca co ct dc de fl fm ga gu hi ia id il in ks ky la ma md me mh mi mn mo mp ms mt nc nd ne nh nj nm \
         nv ny oh ok or pa pr pw ri sc sd tn tx ut va vi vt wa wi wv wy ab bc mb nb nl ns nt nu on pe qc sk yt nsw vic qld \
         tas act aa ae ap",
        STATE,
    ),
    (
        "tokio serde django jinja flask rails laravel posix unix linux macos ios android windows ubuntu debian fedora rust rustc \
         cargo clippy python java javascript typescript golang kotlin haskell erlang elixir ocaml clang gcc glibc musl llvm cuda \
         docker kubernetes podman terraform ansible jenkins gradle maven bazel npm yarn webpack react angular vue svelte node \
         deno redis kafka postgres postgresql mysql sqlite mongodb cassandra elasticsearch opensearch prometheus grafana nginx \
         apache envoy istio unicode ascii utf json yaml toml html css xml http https tcp udp ip dns tls ssl ssh api sdk cli url uri \
         protobuf grpc graphql openapi oauth jwt aws azure gcp amazon google microsoft apple facebook meta twitter instagram \
         linkedin youtube netflix github gitlab bitbucket slack zoom teams jira confluence notion figma photoshop excel word \
         powerpoint outlook gmail chrome firefox safari edge opera openai anthropic bedrock claude gemini llama mistral chatgpt \
         huggingface pytorch tensorflow numpy pandas scipy jupyter toyota honda ford tesla bmw samsung sony nokia intel nvidia amd \
         ibm oracle cisco visa mastercard paypal stripe uber airbnb spotify walmart nike adidas ikea starbucks mcdonalds fedex ups \
         wikipedia reddit tiktok whatsapp telegram signal skype iphone ipad macbook playstation xbox nintendo bitcoin ethereum \
         gregorian english french german spanish italian russian chinese japanese american british european indian irish",
        PRODUCT,
    ),
];
