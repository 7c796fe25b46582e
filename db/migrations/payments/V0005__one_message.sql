-- The copy of a payment request that waits in a retry queue: its number of attempts, and the time at
-- which it is due. Null: no copy was ever sent. A message with a lower number is a second one for the
-- same order, and is dropped until the copy is overdue. Nothing here is indexed (see the table's comment).
alter table payments.payments
    add column scheduled_number integer,
    add column scheduled_due    timestamptz;
