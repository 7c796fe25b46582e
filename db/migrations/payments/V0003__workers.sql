-- Which worker did what, for whoever wants to know what became of an order. On the fast path that is one
-- text in a row that is written anyway: what is null there says the usual, which is that the worker
-- that began a payment ended it, the first time that it was taken. Nothing here is indexed (see the
-- table's comment).
alter table payments.payments
    -- null: begun before workers had names
    add column started_by text,
    -- how often it was taken, the last time, and by whom; null: once, when it was begun
    add column taken      integer,
    add column taken_at   timestamptz,
    add column taken_by   text,
    -- null: by the one that began it
    add column ended_by   text,
    -- how often it had been taken by then; null: once
    add column ended_at_attempt integer;

-- Calls that the gateway gave no answer to, the newest twenty of an order: each takes the place of the one
-- twenty attempts before it. An order that is charged at once has no row here.
create table payments.unanswered_calls (
    order_id  uuid not null,
    slot      integer not null,
    attempt   integer not null,
    at        timestamptz not null,
    worker    text not null,
    operation text not null check (operation in ('charge', 'look_up')),
    why       text not null,
    primary key (order_id, slot)
);
