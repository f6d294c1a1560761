//! The metrics file: SQLite, one writer, any number of readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Result, Transaction, params};
use rust_decimal::Decimal;

use super::series::{Id, Metric, Owner, Row};
use super::sketch::Sketch;
use super::{Point, Points};
use crate::cloudwatch::units;

const DAY: i64 = 24 * 60 * 60;
/// Seconds of a point, and for how long it is kept so.
const AGES: [(&str, i64, i64); 3] =
    [("points_60", 60, 15 * DAY), ("points_300", 300, 63 * DAY), ("points_3600", 3600, 455 * DAY)];

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    dimensions TEXT NOT NULL, unit TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS charges (
    month TEXT NOT NULL, account TEXT NOT NULL, dollars TEXT NOT NULL, PRIMARY KEY (month, account)
) WITHOUT ROWID;
";

#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    writer: Mutex<Connection>,
}

impl File {
    pub fn open(path: &Path) -> Result<Self> {
        let writer = Connection::open(path)?;
        writer.busy_timeout(Duration::from_secs(5))?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        // A commit survives the end of the process; a power cut may take the last ones, which is said in the docs.
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        writer.execute_batch(SCHEMA)?;
        for (table, ..) in AGES {
            writer.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {table} (series INTEGER NOT NULL, at INTEGER NOT NULL, count REAL NOT NULL, \
                 sum REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL, sketch BLOB, PRIMARY KEY (series, at)) \
                 WITHOUT ROWID;"
            ))?;
        }
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer) })
    }

    pub fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn reader(&self) -> Result<Connection> {
        let reader = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        reader.busy_timeout(Duration::from_secs(5))?;
        Ok(reader)
    }

    /// In the order of their numbers, which have no holes.
    pub fn series(&self) -> Result<Vec<Row>> {
        let writer = self.writer();
        let last = AGES.map(|(table, ..)| format!("(SELECT max(at) FROM {table} WHERE series = id)"));
        let mut select = writer.prepare(&format!(
            "SELECT id, account, region, namespace, name, dimensions, unit, coalesce({}, 0) FROM series ORDER BY id",
            last.join(", ")
        ))?;
        let rows = select.query_map([], |row| {
            let (dimensions, unit): (String, String) = (row.get(5)?, row.get(6)?);
            Ok(Row {
                id: row.get(0)?,
                owner: Owner { account: row.get(1)?, region: row.get(2)? },
                metric: Metric {
                    namespace: row.get(3)?,
                    name: row.get(4)?,
                    dimensions: serde_json::from_str(&dimensions).unwrap_or_default(),
                },
                unit: units::known(&unit).unwrap_or("None"),
                last: row.get(7)?,
            })
        })?;
        rows.collect()
    }

    pub fn charges(&self, month: &str) -> Result<BTreeMap<String, Decimal>> {
        let writer = self.writer();
        let mut select = writer.prepare("SELECT account, dollars FROM charges WHERE month = ?1")?;
        let rows = select.query_map([month], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| row.map(|(account, dollars)| (account, dollars.parse().unwrap_or_default()))).collect()
    }
}

/// Writes points, merged with what the file has of their minutes.
pub(super) fn write(
    transaction: &Transaction<'_>,
    fresh: &[Row],
    points: &Points,
    charges: &[(String, String, Decimal)],
) -> Result<()> {
    let mut insert = transaction.prepare_cached("INSERT INTO series VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for row in fresh {
        let dimensions = serde_json::json!(row.metric.dimensions).to_string();
        let (owner, metric) = (&row.owner, &row.metric);
        insert.execute(params![
            row.id,
            owner.account,
            owner.region,
            metric.namespace,
            metric.name,
            dimensions,
            row.unit
        ])?;
    }
    for ((id, at), point) in points {
        merge_into(transaction, AGES[0].0, *id, *at, point)?;
    }
    let mut charge = transaction.prepare_cached("INSERT OR REPLACE INTO charges VALUES (?1, ?2, ?3)")?;
    for (account, month, dollars) in charges {
        charge.execute(params![month, account, dollars.to_string()])?;
    }
    Ok(())
}

fn merge_into(transaction: &Transaction<'_>, table: &str, id: Id, at: i64, point: &Point) -> Result<()> {
    let columns = "count, sum, min, max, sketch";
    let mut select =
        transaction.prepare_cached(&format!("SELECT {columns} FROM {table} WHERE series = ?1 AND at = ?2"))?;
    let known = select.query_row(params![id, at], |row| point_of(row, 0)).optional()?;
    let merged;
    let point = match known {
        Some(mut known) => {
            known.merge(point);
            merged = known;
            &merged
        }
        None => point,
    };
    let mut put = transaction.prepare_cached(&format!(
        "INSERT OR REPLACE INTO {table} (series, at, {columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    ))?;
    let sketch = point.sketch.as_ref().map(Sketch::bytes);
    put.execute(params![id, at, point.count, point.sum, point.min, point.max, sketch])?;
    Ok(())
}

fn point_of(row: &rusqlite::Row<'_>, first: usize) -> Result<Point> {
    let sketch: Option<Vec<u8>> = row.get(first + 4)?;
    Ok(Point {
        count: row.get(first)?,
        sum: row.get(first + 1)?,
        min: row.get(first + 2)?,
        max: row.get(first + 3)?,
        sketch: sketch.map(|bytes| Sketch::read(&bytes)),
    })
}

/// What a series has that is too old for its table goes to the next, or away.
pub(super) fn thin_out(transaction: &Transaction<'_>, id: Id, now: i64) -> Result<()> {
    for (place, (table, _, age)) in AGES.iter().enumerate() {
        // Whole hours, so that a point of the next table is made from all of its parts.
        let before = (now - age).div_euclid(3600) * 3600;
        let next = AGES.get(place + 1);
        let mut old = transaction.prepare_cached(&format!(
            "SELECT at, count, sum, min, max, sketch FROM {table} WHERE series = ?1 AND at < ?2"
        ))?;
        let mut coarse: BTreeMap<i64, Point> = BTreeMap::new();
        let mut found = false;
        let mut rows = old.query(params![id, before])?;
        while let Some(row) = rows.next()? {
            found = true;
            if let Some((_, seconds, _)) = next {
                let at: i64 = row.get(0)?;
                let point = point_of(row, 1)?;
                let at = at.div_euclid(*seconds) * seconds;
                coarse.entry(at).and_modify(|known| known.merge(&point)).or_insert(point);
            }
        }
        if !found {
            continue;
        }
        let mut delete = transaction.prepare_cached(&format!("DELETE FROM {table} WHERE series = ?1 AND at < ?2"))?;
        delete.execute(params![id, before])?;
        if let Some((next, ..)) = next {
            for (at, point) in &coarse {
                merge_into(transaction, next, id, *at, point)?;
            }
        }
    }
    Ok(())
}

/// Fixes what a reader sees from now on.
pub(super) fn begin(reader: &Connection) -> Result<()> {
    reader.execute_batch("BEGIN")?;
    reader.query_row("SELECT count(*) FROM charges WHERE month = ''", [], |_| Ok(()))
}

pub(super) fn end(reader: &Connection) -> Result<()> {
    reader.execute_batch("COMMIT")
}

/// Hands the points of a series to `take`. Where nobody asks for percentiles, SQLite adds up whole periods itself.
pub(super) fn read(
    reader: &Connection,
    id: Id,
    (from, to, period): (i64, i64, i64),
    percentiles: bool,
    take: &mut dyn FnMut(i64, Point),
) -> Result<()> {
    for (table, ..) in AGES {
        let range = format!("FROM {table} WHERE series = ?1 AND at >= ?2 AND at < ?3");
        let text = if percentiles {
            format!("SELECT at, count, sum, min, max, sketch {range} AND ?4 > 0")
        } else {
            format!("SELECT min(at), sum(count), sum(sum), min(min), max(max), NULL {range} GROUP BY (at - ?2) / ?4")
        };
        let mut select = reader.prepare_cached(&text)?;
        let mut rows = select.query(params![id, from, to, period])?;
        while let Some(row) = rows.next()? {
            take(row.get(0)?, point_of(row, 1)?);
        }
    }
    Ok(())
}
