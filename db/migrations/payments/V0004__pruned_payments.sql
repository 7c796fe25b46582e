-- Payments whose details were removed: ids, sum and verdict, so that a request that comes again gets its
-- reply and the auditor finds every payment. Written by `payments prune` only, and in no second version.
create table payments.pruned_payments (
    order_id     uuid primary key,
    payment_id   uuid not null,
    amount_minor bigint not null,
    finished_at  timestamptz not null,
    captured     boolean not null,
    currency     text not null
);

-- For new and changed rows. The rows of a big table are not read while workers wait; an older row that
-- breaks a bound stays.
alter table payments.payments
    add constraint payments_terms_known
        check (currency in ('USD', 'EUR', 'GBP') and amount_minor <= 10000000000) not valid,
    add constraint payments_times_finite
        check (isfinite(started_at) and (finished_at is null or isfinite(finished_at))) not valid;
