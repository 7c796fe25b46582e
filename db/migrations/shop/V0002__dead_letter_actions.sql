-- What people did to dead letters, each with the whole letter: a discarded one is kept here alone.

create table dead_letter_actions (
    id         uuid primary key,
    action     text not null check (action in ('replay', 'discard')),
    -- begun: its process died, or is at it. done. failed: the letter stayed where it was. unknown:
    -- no confirm came, so it may have been put back, and stayed as well.
    outcome    text not null default 'begun' check (outcome in ('begun', 'done', 'failed', 'unknown')),
    done_by    text not null,
    note       text,
    begun_at   timestamptz not null default now(),
    ended_at   timestamptz,
    letter_id  text not null,
    queue      text not null,
    reason     text not null,
    detail     text,
    message_id text,
    order_ids  uuid[] not null,
    attempts   bigint not null,
    replays    bigint not null,
    parked_at  timestamptz,
    properties text not null,
    body       bytea not null
);

create index dead_letter_actions_by_letter on dead_letter_actions (letter_id, id);
