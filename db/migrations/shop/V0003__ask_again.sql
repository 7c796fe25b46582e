-- What a late order has been asked for again: its payment request may have been lost, or the result
-- (a queue that was purged or deleted). waiting_since is when it was noted down as late, and later
-- when it was last asked for again.
alter table late_orders add column waiting_since timestamptz not null default now();
alter table late_orders add column asked integer not null default 0;
create index late_orders_by_wait on late_orders (waiting_since);

-- When the row was made, for whoever wants to know how long it has been waiting.
alter table outbox add column queued_at timestamptz not null default now();
