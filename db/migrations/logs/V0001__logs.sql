-- Log lines, a table for each day. No query joins this schema with another one, so that it can live
-- in a database of its own, which may be away without anybody else noticing.

create schema logs;

-- In this order, so that "this level and worse" is a comparison.
create type logs.level as enum ('TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR');

-- A line that comes again has the same key and is stored once. The key is also the order in which
-- lines are read.
create table logs.log_entries (
    logged_at   timestamptz not null,
    instance    text not null,
    sequence    bigint not null,
    service     text not null,
    level       logs.level not null,
    target      text not null,
    message     text not null,
    order_ids   uuid[] not null,
    request_ids text[] not null,
    trace_ids   text[] not null,
    fields      jsonb not null,
    primary key (logged_at, instance, sequence)
) partition by range (logged_at);

-- One index for all three: each line is put into one list of what is still to be indexed, and not
-- into three.
create index log_entries_ids on logs.log_entries using gin (order_ids, request_ids, trace_ids);

-- What went wrong is a small part, and looked for without knowing an id.
create index log_entries_bad on logs.log_entries (logged_at, instance, sequence)
    where level >= 'WARN';

-- Makes the tables of today, of tomorrow and of those of `wanted` that are neither older than
-- `retention_days` nor later than tomorrow, drops the older ones, and says which days may be stored.
-- Days are those of UTC, by this server's clock. One caller at a time; the others wait for it.
create function logs.keep(retention_days integer, wanted date[], out first_day date, out last_day date)
language plpgsql
-- Dropping a table waits for whoever reads it, and everybody else would wait behind that.
set lock_timeout = '2s'
as $$
declare
    today date := (now() at time zone 'UTC')::date;
    day date;
    old text;
begin
    -- "ordlogs" in ASCII
    perform pg_advisory_xact_lock(31369498056419187);
    first_day := today - retention_days;
    last_day := today + 1;
    for day in
        select distinct d from unnest(wanted || array[today, last_day]) as w (d)
         where d between first_day and last_day
           and to_regclass(format('logs.log_entries_%s', to_char(d, 'YYYYMMDD'))) is null
         order by d
    loop
        execute format(
            'create table logs.log_entries_%s partition of logs.log_entries for values from (%L) to (%L)',
            to_char(day, 'YYYYMMDD'), day || ' 00:00:00+00', (day + 1) || ' 00:00:00+00');
    end loop;
    for old in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'logs.log_entries'::regclass
           and c.relname ~ '^log_entries_[0-9]{8}$'
           and to_date(right(c.relname, 8), 'YYYYMMDD') < first_day
    loop
        execute format('drop table logs.%I', old);
    end loop;
end
$$;
