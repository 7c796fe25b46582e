-- What the workers know. No query joins this schema with another one, so that it can move to a
-- database of its own.

create schema payments;

create type payments.status as enum ('started', 'captured', 'declined');

-- A row is written twice within milliseconds. No index stands on what the second write changes
-- and every page keeps room, so the second version lands beside the first (a HOT update).
create table payments.payments (
    order_id       uuid primary key,
    payment_id     uuid not null,
    amount_minor   bigint not null check (amount_minor >= 0),
    started_at     timestamptz not null default now(),
    finished_at    timestamptz,
    status         payments.status not null default 'started',
    currency       text not null,
    payment_method text,
    reason         text
) with (fillfactor = 50);
