-- Every row of the outbox has a higher id: where a read of the outbox begins. An open transaction keeps
-- removed rows from being cleaned away, and each read would step over all of them.
create table outbox_start (
    one boolean primary key default true check (one),
    id  bigint not null
);
insert into outbox_start (id) values (0);

-- The process that has the lease of a row, as the number of an advisory lock of its session: a row whose
-- holder has died is free at once. Null: only the end of the lease frees the row.
alter table outbox add column holder integer;
