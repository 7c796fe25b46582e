-- The simulated gateway's own books. The workers' tables know nothing of them: they stand in for
-- a company elsewhere, and are what a test counts captures in.

create schema simulated_gateway;

-- A capture for every key. Two rows for one order would mean that it was charged twice.
create table simulated_gateway.captures (
    key          text primary key,
    order_id     uuid not null,
    amount_minor bigint not null,
    currency     text not null,
    captured_at  timestamptz not null default now()
);

-- How often a key was tried, for the payment methods that work only after a while.
create table simulated_gateway.attempts (
    key   text primary key,
    count integer not null
);
