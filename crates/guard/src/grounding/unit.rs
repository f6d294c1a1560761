//! Units of measure: their names, and which amounts are the same in two of them.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The names of a unit, what it measures, and how much of that it is. Only what measures the same can be converted.
const UNITS: [(&str, &str, f64); 48] = [
    ("percent % pct", "percent", 1.0),
    ("kilometer km kilometers kilometre kilometres", "length", 1e3),
    ("meter m meters metre metres", "length", 1.0),
    ("centimeter cm centimeters centimetre centimetres", "length", 1e-2),
    ("millimeter mm millimeters millimetre millimetres", "length", 1e-3),
    ("mile mi miles", "length", 1609.344),
    ("foot ft feet", "length", 0.3048),
    ("inch inches", "length", 0.0254),
    ("yard yd yards", "length", 0.9144),
    ("kilogram kg kilograms kilo kilos", "mass", 1e3),
    ("gram g grams", "mass", 1.0),
    ("milligram mg milligrams", "mass", 1e-3),
    ("ounce oz ounces", "mass", 28.3495),
    ("ton t tons tonne tonnes", "mass", 1e6),
    ("liter l liters litre litres", "volume", 1.0),
    ("milliliter ml milliliters millilitre millilitres", "volume", 1e-3),
    ("gallon gal gallons", "gallons", 1.0),
    ("second s sec secs seconds", "time", 1.0),
    ("minute min mins minutes", "time", 60.0),
    ("hour h hr hrs hours", "time", 3600.0),
    ("day days", "time", 86400.0),
    ("week weeks", "time", 604_800.0),
    ("month months", "months", 1.0),
    ("year years yr yrs", "months", 12.0),
    ("decade decades", "months", 120.0),
    ("century centuries", "months", 1200.0),
    ("dollar $ usd dollars", "dollars", 1.0),
    ("euro € eur euros", "euros", 1.0),
    ("yen ¥", "yen", 1.0),
    ("cent cents", "cents", 1.0),
    // Money or mass: what stands beside it tells a reader.
    ("pound lb lbs pounds £ gbp", "pounds", 1.0),
    ("kilobyte kb kilobytes", "bytes", 1.0),
    ("megabyte mb megabytes", "bytes", 1e3),
    ("gigabyte gb gigabytes", "bytes", 1e6),
    ("terabyte tb terabytes", "bytes", 1e9),
    ("watt w watts", "power", 1.0),
    ("kilowatt kw kilowatts", "power", 1e3),
    ("megawatt mw megawatts", "power", 1e6),
    ("volt v volts", "volts", 1.0),
    ("mph", "mph", 1.0),
    ("kmh", "kmh", 1.0),
    ("celsius °c", "celsius", 1.0),
    ("fahrenheit °f", "fahrenheit", 1.0),
    ("people persons inhabitants residents", "people", 1.0),
    ("acre acres", "acres", 1.0),
    ("hectare ha hectares", "area", 1.0),
    ("am", "am", 1.0),
    ("pm", "pm", 1.0),
];
/// Two units are seldom converted to the last digit.
const ROUNDED: f64 = 0.01;

/// The place of the unit that `word` (lower case) names.
pub(super) fn unit(word: &str) -> Option<u16> {
    static UNIT: LazyLock<HashMap<&'static str, u16>> = LazyLock::new(|| {
        let lines = UNITS.into_iter().zip(0..);
        lines.flat_map(|((names, ..), at)| names.split_whitespace().map(move |word| (word, at))).collect()
    });
    UNIT.get(word).copied()
}

/// One name for the unit, however it was written.
pub(super) fn name(unit: u16) -> &'static str {
    UNITS.get(usize::from(unit)).and_then(|(names, ..)| names.split_whitespace().next()).unwrap_or_default()
}

/// Whether the two amounts, in different units, are the same.
pub(super) fn same((one, unit): (f64, u16), (other, second): (f64, u16)) -> bool {
    let (Some((_, kind, size)), Some((_, other_kind, other_size))) =
        (UNITS.get(usize::from(unit)), UNITS.get(usize::from(second)))
    else {
        return false;
    };
    let (one, other) = (one * size, other * other_size);
    unit != second && kind == other_kind && (one - other).abs() <= ROUNDED * one.abs()
}
