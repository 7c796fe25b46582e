-- Rows that are written by SQL: bounds that the readers rely on, and ids that were given explicitly.

-- New and changed rows are checked from now on; the next migration checks the older ones, with a lock that
-- stops no reader and no writer. An older row that breaks a bound can be archived.
alter table products
    add constraint products_id_range check (id between 1 and 999999999999999999) not valid,
    add constraint products_name_one_line
        check (archived_at is not null
               or (char_length(name) between 1 and 200 and name !~ '[\u0001-\u001f\u007f-\u009f]'
                   and btrim(name) <> '')) not valid,
    add constraint products_price_range check (archived_at is not null or price_minor <= 10000000000) not valid,
    add constraint products_times_finite
        check (isfinite(created_at) and isfinite(updated_at)
               and (archived_at is null or isfinite(archived_at))) not valid;
alter table customers
    add constraint customers_id_range check (id between 1 and 999999999999999999) not valid,
    add constraint customers_name_one_line
        check (archived_at is not null
               or (char_length(name) between 1 and 200 and name !~ '[\u0001-\u001f\u007f-\u009f]'
                   and btrim(name) <> '')) not valid,
    add constraint customers_email_address
        check (archived_at is not null
               or (char_length(email) <= 254 and email !~ '[\u0001-\u0020\u007f-\u009f]'
                   and email like '_%@_%' and email not like '%@%@%')) not valid,
    add constraint customers_times_finite
        check (isfinite(created_at) and isfinite(updated_at)
               and (archived_at is null or isfinite(archived_at))) not valid;

-- Comparisons of numbers only, and one of short texts: an order is checked twice on its way.
alter table orders
    add constraint orders_numbers_range
        check (customer_id between 1 and 999999999999999999
               and product_id between 1 and 999999999999999999
               and total_minor <= 10000000000 and quantity <= 10000) not valid,
    add constraint orders_currency_known check (currency in ('USD', 'EUR', 'GBP')) not valid,
    add constraint orders_times_finite
        check (isfinite(created_at) and isfinite(updated_at)) not valid,
    add constraint orders_payment_method_token
        check (payment_method ~ '^[A-Za-z0-9_-]{1,64}$') not valid;

alter table dead_letter_actions
    add constraint dead_letter_actions_orders_known
        check (array_position(order_ids, null) is null) not valid,
    add constraint dead_letter_actions_times_finite
        check (isfinite(begun_at) and (ended_at is null or isfinite(ended_at))
               and (parked_at is null or isfinite(parked_at))) not valid;

-- The sequence follows ids that an import gave. One statement, however many rows; it does nothing
-- where the sequence gave the ids. With the rights of the tables' owner: who may insert may not
-- necessarily set a sequence.
create function follow_given_ids() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    ids regclass := pg_get_serial_sequence(format('%I.%I', tg_table_schema, tg_table_name), 'id');
    newest bigint;
begin
    execute format('select max(id) from %I.%I', tg_table_schema, tg_table_name) into newest;
    if newest > coalesce(pg_sequence_last_value(ids), 0) then
        perform setval(ids, newest);
    end if;
    return null;
end
$$;
create trigger products_follow_given_ids after insert on products
    for each statement execute function follow_given_ids();
create trigger customers_follow_given_ids after insert on customers
    for each statement execute function follow_given_ids();

-- Ids that were given before this migration.
select setval(pg_get_serial_sequence('products', 'id'), max(id)) from products
having max(id) > coalesce(pg_sequence_last_value(pg_get_serial_sequence('products', 'id')::regclass), 0);
select setval(pg_get_serial_sequence('customers', 'id'), max(id)) from customers
having max(id) > coalesce(pg_sequence_last_value(pg_get_serial_sequence('customers', 'id')::regclass), 0);
