//! Copying a whole database into another, whichever engines they have: moving an installation, and backing up PostgreSQL.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::{Store, StoreError, Writing, engine::Engine, rows};

/// Rows written in one statement; the widest table has some twenty columns, and SQLite takes 32 766 parameters.
const ROWS_A_STATEMENT: usize = 200;

/// How much was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub table: String,
    pub rows: u64,
}

/// What a column holds, in either engine's word for it.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Whole,
    Real,
    Text,
    Bytes,
}

struct Column {
    name: String,
    kind: Kind,
}

impl Store {
    /// Copies everything into an empty database of the same schema, in one transaction on each side: what is written here meanwhile is
    /// not copied, and a copy that breaks off leaves nothing there.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] where the other holds anything; [`StoreError::OtherSchema`] where either is not of this version's schema.
    pub async fn copy_into(&self, other: &Self) -> Result<Vec<Copied>, StoreError> {
        for store in [self, other] {
            let found = store.schema_version().await?;
            if found != Self::newest_schema() {
                return Err(StoreError::OtherSchema { found, known: Self::newest_schema() });
            }
        }
        let mut from = self.pool.begin_with(self.engine.snapshot()).await?;
        let mut to = other.begin().await?;
        let tables: Vec<(String,)> = sqlx::query_as(self.engine.tables()).fetch_all(&mut *from).await?;
        let mut copied = Vec::new();
        for (table,) in tables {
            if count(&mut to, &table).await? > 0 {
                return Err(StoreError::NotEmpty(table));
            }
            copy_table(&mut from, self.engine, &mut to, &table).await?;
            let rows = count(&mut to, &table).await?;
            copied.push(Copied { table, rows });
        }
        if other.engine == Engine::Postgres {
            go_on_counting(&mut to).await?;
        }
        to.commit().await?;
        Ok(copied)
    }
}

async fn count(transaction: &mut Writing, table: &str) -> Result<u64, StoreError> {
    let (rows,): (i64,) = sqlx::query_as(AssertSqlSafe(format!("SELECT count(*) FROM \"{table}\""))).fetch_one(&mut **transaction).await?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

async fn copy_table(from: &mut Writing, engine: Engine, to: &mut Writing, table: &str) -> Result<(), StoreError> {
    let described: Vec<(String, String)> = sqlx::query_as(engine.columns()).bind(table).fetch_all(&mut **from).await?;
    let columns: Vec<Column> = described.into_iter().map(|(name, kind)| Column { name, kind: Kind::of(&kind) }).collect();
    let names = columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ");
    let mut rows = sqlx::query(AssertSqlSafe(format!("SELECT {names} FROM \"{table}\""))).fetch(&mut **from);
    let mut batch = Vec::new();
    while let Some(row) = rows.try_next().await? {
        batch.push(row);
        if batch.len() == ROWS_A_STATEMENT {
            write(to, table, &names, &columns, &batch).await?;
            batch.clear();
        }
    }
    if batch.is_empty() { Ok(()) } else { write(to, table, &names, &columns, &batch).await }
}

async fn write(to: &mut Writing, table: &str, names: &str, columns: &[Column], values: &[AnyRow]) -> Result<(), StoreError> {
    let sql = rows::insert(&format!("INSERT INTO \"{table}\" ({names})"), columns.len(), values.len(), "");
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for row in values {
        for (index, column) in columns.iter().enumerate() {
            query = match column.kind {
                Kind::Whole => query.bind(row.try_get::<Option<i64>, _>(index)?),
                Kind::Real => query.bind(row.try_get::<Option<f64>, _>(index)?),
                Kind::Text => query.bind(row.try_get::<Option<String>, _>(index)?),
                Kind::Bytes => query.bind(row.try_get::<Option<Vec<u8>>, _>(index)?),
            };
        }
    }
    query.execute(&mut **to).await?;
    Ok(())
}

/// PostgreSQL gives out running numbers from a counter beside the table: it goes on after the highest copied number.
async fn go_on_counting(to: &mut Writing) -> Result<(), StoreError> {
    let numbered: Vec<(String, String)> = sqlx::query_as(
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
         WHERE table_schema = current_schema() AND is_identity = 'YES'",
    )
    .fetch_all(&mut **to)
    .await?;
    for (table, column) in numbered {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), max(\"{column}\")) FROM \"{table}\" HAVING count(*) > 0"
        );
        sqlx::query(AssertSqlSafe(sql)).execute(&mut **to).await?;
    }
    Ok(())
}

impl Kind {
    fn of(declared: &str) -> Self {
        match declared.to_ascii_lowercase().as_str() {
            "integer" | "bigint" => Self::Whole,
            "real" | "double precision" => Self::Real,
            "blob" | "bytea" => Self::Bytes,
            _ => Self::Text,
        }
    }
}
