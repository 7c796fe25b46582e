-- What people did to the dead letters of one order. Written at once and not on a list of its own first:
-- it is asked seldom, and answered from this index alone.
create index dead_letter_actions_by_order on dead_letter_actions using gin (order_ids)
    with (fastupdate = off);
