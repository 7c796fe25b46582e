-- Answers to requests that had an Idempotency-Key, except those that placed an order: an order keeps its
-- key itself. A row is written in the commit of its request's effect, and is kept for ever.
--
-- A key belongs to one kind of request. `request` is the request's content, to recognise another request
-- under the same key; `answer` is the row as the first answer showed it. The columns of keys compare by
-- bytes: an index under a language's rules can break when the system's library learns new ones.
create table idempotency_keys (
    kind       text collate "C" not null,
    key        text collate "C" not null,
    request    text not null,
    answer     jsonb not null,
    created_at timestamptz not null default now(),
    primary key (kind, key)
);
