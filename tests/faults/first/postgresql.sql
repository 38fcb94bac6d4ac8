SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.author (
    id character varying(36) NOT NULL,
    name text NOT NULL,
    badge character varying(16),
    created_at bigint NOT NULL
);
CREATE TABLE public.comment (
    id character varying(36) NOT NULL,
    discussion_id bigint NOT NULL,
    parent_id character varying(36),
    root_id character varying(36) NOT NULL,
    author_id character varying(36) NOT NULL,
    author_name text NOT NULL,
    author_badge character varying(16),
    text text NOT NULL,
    body json NOT NULL,
    created_at bigint NOT NULL,
    edited_at bigint,
    state character varying(8) NOT NULL,
    published boolean NOT NULL,
    up integer NOT NULL,
    down integer NOT NULL,
    reply_count integer NOT NULL,
    pinned boolean NOT NULL,
    idempotency_key character varying(64),
    request_digest character varying(64),
    CONSTRAINT ck_comment_state CHECK (((state)::text = ANY ((ARRAY['visible'::character varying, 'held'::character varying, 'removed'::character varying, 'deleted'::character varying])::text[])))
);
CREATE TABLE public.discussion (
    id bigint NOT NULL,
    site_id bigint NOT NULL,
    key text NOT NULL,
    title text NOT NULL,
    url text NOT NULL,
    mode character varying(8) NOT NULL,
    seq bigint NOT NULL,
    comment_count bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE SEQUENCE public.discussion_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.discussion_id_seq OWNED BY public.discussion.id;
CREATE TABLE public.event (
    discussion_id bigint NOT NULL,
    seq bigint NOT NULL,
    kind character varying(32) NOT NULL,
    comment_id character varying(36),
    at bigint NOT NULL,
    payload text NOT NULL
);
CREATE TABLE public.meta (
    name character varying(64) NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.moderator (
    author_id character varying(36) NOT NULL,
    name text NOT NULL,
    token_hash character varying(64) NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.report (
    id character varying(36) NOT NULL,
    comment_id character varying(36) NOT NULL,
    reporter_id character varying(36),
    reason character varying(16) NOT NULL,
    note text NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.site (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    origins json NOT NULL,
    created_at bigint NOT NULL
);
CREATE SEQUENCE public.site_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.site_id_seq OWNED BY public.site.id;
CREATE TABLE public.vote (
    comment_id character varying(36) NOT NULL,
    voter_id character varying(36) NOT NULL,
    value integer NOT NULL,
    CONSTRAINT ck_vote_value CHECK ((value = ANY (ARRAY[1, '-1'::integer])))
);
ALTER TABLE ONLY public.discussion ALTER COLUMN id SET DEFAULT nextval('public.discussion_id_seq'::regclass);
ALTER TABLE ONLY public.site ALTER COLUMN id SET DEFAULT nextval('public.site_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.author VALUES ('01a2236a-f464-74bc-8655-e7fbe6938ba1', 'Editor', 'moderator', 1777636801000);
INSERT INTO public.author VALUES ('0190a000-0000-8000-8000-00000000000a', 'Lan', NULL, 1777636802000);
INSERT INTO public.author VALUES ('0190a000-0000-8000-8000-00000000000b', 'Minh', NULL, 1777636803000);
INSERT INTO public.author VALUES ('0190a000-0000-8000-8000-00000000000c', 'Éva', NULL, 1777636804000);
INSERT INTO public.comment VALUES ('01a2236a-f483-7710-9491-284246f4d481', 1, '01a2236a-f477-7a8f-a3c6-668f81fdd60a', '01a2236a-f468-7510-92ba-83dc06e5ac08', '0190a000-0000-8000-8000-00000000000c', 'Éva', NULL, 'Then raise it.', '[{"type": "paragraph", "children": [{"type": "text", "text": "Then raise it."}]}]', 1777636804000, NULL, 'visible', true, 0, 0, 0, false, '01a2236a-f483-77ca-981d-24b2ba8077a6', '5468656e2072616973652069742e');
INSERT INTO public.comment VALUES ('01a2236a-f477-7a8f-a3c6-668f81fdd60a', 1, '01a2236a-f468-7510-92ba-83dc06e5ac08', '01a2236a-f468-7510-92ba-83dc06e5ac08', '0190a000-0000-8000-8000-00000000000b', 'Minh', NULL, 'It floods there, every year.', '[{"type": "paragraph", "children": [{"type": "text", "text": "It floods there, every year."}]}]', 1777636803000, NULL, 'visible', true, 0, 1, 1, false, '01a2236a-f477-7657-ba41-e069aee05c0b', '497420666c6f6f64732074686572652c20657665727920796561722e');
INSERT INTO public.comment VALUES ('01a2236a-f468-7510-92ba-83dc06e5ac08', 1, NULL, '01a2236a-f468-7510-92ba-83dc06e5ac08', '0190a000-0000-8000-8000-00000000000a', 'Lan', NULL, 'The market should stay where it was.', '[{"type": "paragraph", "children": [{"type": "text", "text": "The market should stay where it was."}]}]', 1777636802000, 1777636805000, 'visible', true, 1, 0, 1, false, '01a2236a-f468-7fa8-a807-c00ea5eb79b6', '546865206d61726b65742073686f756c64207374617920776865726520697420');
INSERT INTO public.comment VALUES ('01a2236a-f4da-724c-8d93-feb3a7d8db4e', 1, NULL, '01a2236a-f4da-724c-8d93-feb3a7d8db4e', '0190a000-0000-8000-8000-00000000000c', 'Éva', NULL, 'Buy cheap watches', '[{"type": "paragraph", "children": [{"type": "text", "text": "Buy cheap watches"}]}]', 1777636810000, NULL, 'removed', true, 0, 0, 0, false, '01a2236a-f4da-7e30-ad3f-ec1609c477f3', '4275792063686561702077617463686573');
INSERT INTO public.comment VALUES ('01a2236a-f4fb-71ae-bebc-133d07959d37', 1, NULL, '01a2236a-f4fb-71ae-bebc-133d07959d37', '0190a000-0000-8000-8000-00000000000b', '', NULL, '', '[]', 1777636813000, NULL, 'deleted', true, 0, 0, 0, false, '01a2236a-f4fb-7a69-a67c-6d8956f3bb79', '492074616b652074686174206261636b');
INSERT INTO public.comment VALUES ('01a2236a-f518-71d5-8221-9d04f47d4f67', 2, NULL, '01a2236a-f518-71d5-8221-9d04f47d4f67', '0190a000-0000-8000-8000-00000000000a', 'Lan', NULL, 'I wait for approval.', '[{"type": "paragraph", "children": [{"type": "text", "text": "I wait for approval."}]}]', 1777636817000, NULL, 'held', false, 0, 0, 0, false, '01a2236a-f518-70e6-acc0-b83a5baee1e4', '49207761697420666f7220617070726f76616c2e');
INSERT INTO public.comment VALUES ('01a2236a-f51c-706f-9ee0-783b8b3f839c', 2, NULL, '01a2236a-f51c-706f-9ee0-783b8b3f839c', '0190a000-0000-8000-8000-00000000000b', 'Minh', NULL, 'I was approved.', '[{"type": "paragraph", "children": [{"type": "text", "text": "I was approved."}]}]', 1777636818000, NULL, 'visible', true, 0, 0, 0, false, '01a2236a-f51c-7e5a-ad66-6a74eae38b67', '492077617320617070726f7665642e');
INSERT INTO public.discussion VALUES (1, 1, 'here', 'About here', 'https://news.example/', 'open', 12, 3, 1777636802000);
INSERT INTO public.discussion VALUES (2, 1, 'there', 'About there', 'https://news.example/', 'held', 2, 1, 1777636816000);
INSERT INTO public.event VALUES (1, 1, 'comment.created', '01a2236a-f468-7510-92ba-83dc06e5ac08', 1777636802000, '{"seq":1,"kind":"comment.created","at":"2026-05-01T12:00:02.000Z","comment":{"id":"01a2236a-f468-7510-92ba-83dc06e5ac08","parent_id":null,"author":{"id":"0190a000-0000-8000-8000-00000000000a","name":"Lan","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"The market should stay where it is."}]}],"created_at":"2026-05-01T12:00:02.000Z","edited_at":null,"state":"visible","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":1}');
INSERT INTO public.event VALUES (1, 2, 'comment.created', '01a2236a-f477-7a8f-a3c6-668f81fdd60a', 1777636803000, '{"seq":2,"kind":"comment.created","at":"2026-05-01T12:00:03.000Z","comment":{"id":"01a2236a-f477-7a8f-a3c6-668f81fdd60a","parent_id":"01a2236a-f468-7510-92ba-83dc06e5ac08","author":{"id":"0190a000-0000-8000-8000-00000000000b","name":"Minh","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"It floods there, every year."}]}],"created_at":"2026-05-01T12:00:03.000Z","edited_at":null,"state":"visible","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":2,"parent":{"id":"01a2236a-f468-7510-92ba-83dc06e5ac08","reply_count":1}}');
INSERT INTO public.event VALUES (1, 3, 'comment.created', '01a2236a-f483-7710-9491-284246f4d481', 1777636804000, '{"seq":3,"kind":"comment.created","at":"2026-05-01T12:00:04.000Z","comment":{"id":"01a2236a-f483-7710-9491-284246f4d481","parent_id":"01a2236a-f477-7a8f-a3c6-668f81fdd60a","author":{"id":"0190a000-0000-8000-8000-00000000000c","name":"Éva","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"Then raise it."}]}],"created_at":"2026-05-01T12:00:04.000Z","edited_at":null,"state":"visible","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":3,"parent":{"id":"01a2236a-f477-7a8f-a3c6-668f81fdd60a","reply_count":1}}');
INSERT INTO public.event VALUES (1, 4, 'comment.edited', '01a2236a-f468-7510-92ba-83dc06e5ac08', 1777636805000, '{"seq":4,"kind":"comment.edited","at":"2026-05-01T12:00:05.000Z","comment":{"id":"01a2236a-f468-7510-92ba-83dc06e5ac08","parent_id":null,"author":{"id":"0190a000-0000-8000-8000-00000000000a","name":"Lan","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"The market should stay where it was."}]}],"created_at":"2026-05-01T12:00:02.000Z","edited_at":"2026-05-01T12:00:05.000Z","state":"visible","votes":{"up":0,"down":0},"reply_count":1,"pinned":false}}');
INSERT INTO public.event VALUES (1, 5, 'comment.voted', '01a2236a-f468-7510-92ba-83dc06e5ac08', 1777636806000, '{"seq":5,"kind":"comment.voted","at":"2026-05-01T12:00:06.000Z","comment_id":"01a2236a-f468-7510-92ba-83dc06e5ac08","votes":{"up":1,"down":0}}');
INSERT INTO public.event VALUES (1, 6, 'comment.voted', '01a2236a-f468-7510-92ba-83dc06e5ac08', 1777636807000, '{"seq":6,"kind":"comment.voted","at":"2026-05-01T12:00:07.000Z","comment_id":"01a2236a-f468-7510-92ba-83dc06e5ac08","votes":{"up":2,"down":0}}');
INSERT INTO public.event VALUES (1, 7, 'comment.voted', '01a2236a-f477-7a8f-a3c6-668f81fdd60a', 1777636808000, '{"seq":7,"kind":"comment.voted","at":"2026-05-01T12:00:08.000Z","comment_id":"01a2236a-f477-7a8f-a3c6-668f81fdd60a","votes":{"up":0,"down":1}}');
INSERT INTO public.event VALUES (1, 8, 'comment.voted', '01a2236a-f468-7510-92ba-83dc06e5ac08', 1777636809000, '{"seq":8,"kind":"comment.voted","at":"2026-05-01T12:00:09.000Z","comment_id":"01a2236a-f468-7510-92ba-83dc06e5ac08","votes":{"up":1,"down":0}}');
INSERT INTO public.event VALUES (1, 9, 'comment.created', '01a2236a-f4da-724c-8d93-feb3a7d8db4e', 1777636810000, '{"seq":9,"kind":"comment.created","at":"2026-05-01T12:00:10.000Z","comment":{"id":"01a2236a-f4da-724c-8d93-feb3a7d8db4e","parent_id":null,"author":null,"body":null,"created_at":"2026-05-01T12:00:10.000Z","edited_at":null,"state":"removed","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":4}');
INSERT INTO public.event VALUES (1, 10, 'comment.removed', '01a2236a-f4da-724c-8d93-feb3a7d8db4e', 1777636812000, '{"seq":10,"kind":"comment.removed","at":"2026-05-01T12:00:12.000Z","comment":{"id":"01a2236a-f4da-724c-8d93-feb3a7d8db4e","parent_id":null,"author":null,"body":null,"created_at":"2026-05-01T12:00:10.000Z","edited_at":null,"state":"removed","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":3}');
INSERT INTO public.event VALUES (1, 11, 'comment.created', '01a2236a-f4fb-71ae-bebc-133d07959d37', 1777636813000, '{"seq":11,"kind":"comment.created","at":"2026-05-01T12:00:13.000Z","comment":{"id":"01a2236a-f4fb-71ae-bebc-133d07959d37","parent_id":null,"author":null,"body":null,"created_at":"2026-05-01T12:00:13.000Z","edited_at":null,"state":"deleted","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":4}');
INSERT INTO public.event VALUES (1, 12, 'comment.removed', '01a2236a-f4fb-71ae-bebc-133d07959d37', 1777636814000, '{"seq":12,"kind":"comment.removed","at":"2026-05-01T12:00:14.000Z","comment":{"id":"01a2236a-f4fb-71ae-bebc-133d07959d37","parent_id":null,"author":null,"body":null,"created_at":"2026-05-01T12:00:13.000Z","edited_at":null,"state":"deleted","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":3}');
INSERT INTO public.event VALUES (2, 1, 'discussion.changed', NULL, 1777636816000, '{"seq":1,"kind":"discussion.changed","at":"2026-05-01T12:00:16.000Z","discussion":{"mode":"held"}}');
INSERT INTO public.event VALUES (2, 2, 'comment.created', '01a2236a-f51c-706f-9ee0-783b8b3f839c', 1777636819000, '{"seq":2,"kind":"comment.created","at":"2026-05-01T12:00:19.000Z","comment":{"id":"01a2236a-f51c-706f-9ee0-783b8b3f839c","parent_id":null,"author":{"id":"0190a000-0000-8000-8000-00000000000b","name":"Minh","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"I was approved."}]}],"created_at":"2026-05-01T12:00:18.000Z","edited_at":null,"state":"visible","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":1}');
INSERT INTO public.meta VALUES ('epoch', 'Zh4qroGOWfQ0');
INSERT INTO public.moderator VALUES ('01a2236a-f464-74bc-8655-e7fbe6938ba1', 'Editor', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1777636801000);
INSERT INTO public.report VALUES ('01a2236a-f4e6-73d4-b9e9-69a476f79365', '01a2236a-f4da-724c-8d93-feb3a7d8db4e', '0190a000-0000-8000-8000-00000000000a', 'spam', 'look at it', 1777636811000);
INSERT INTO public.report VALUES ('01a2236a-f507-732d-86cb-f373e34ef2f7', '01a2236a-f477-7a8f-a3c6-668f81fdd60a', '0190a000-0000-8000-8000-00000000000c', 'spam', 'look at it', 1777636815000);
INSERT INTO public.site VALUES (1, 'default', '[]', 1795890541629);
INSERT INTO public.site VALUES (2, 'magazine', '["https://magazine.example"]', 1777636801000);
INSERT INTO public.vote VALUES ('01a2236a-f468-7510-92ba-83dc06e5ac08', '0190a000-0000-8000-8000-00000000000b', 1);
INSERT INTO public.vote VALUES ('01a2236a-f477-7a8f-a3c6-668f81fdd60a', '0190a000-0000-8000-8000-00000000000a', -1);
SELECT pg_catalog.setval('public.discussion_id_seq', 2, true);
SELECT pg_catalog.setval('public.site_id_seq', 2, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.author
    ADD CONSTRAINT pk_author PRIMARY KEY (id);
ALTER TABLE ONLY public.comment
    ADD CONSTRAINT pk_comment PRIMARY KEY (id);
ALTER TABLE ONLY public.discussion
    ADD CONSTRAINT pk_discussion PRIMARY KEY (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (discussion_id, seq);
ALTER TABLE ONLY public.meta
    ADD CONSTRAINT pk_meta PRIMARY KEY (name);
ALTER TABLE ONLY public.moderator
    ADD CONSTRAINT pk_moderator PRIMARY KEY (author_id);
ALTER TABLE ONLY public.report
    ADD CONSTRAINT pk_report PRIMARY KEY (id);
ALTER TABLE ONLY public.site
    ADD CONSTRAINT pk_site PRIMARY KEY (id);
ALTER TABLE ONLY public.vote
    ADD CONSTRAINT pk_vote PRIMARY KEY (comment_id, voter_id);
ALTER TABLE ONLY public.comment
    ADD CONSTRAINT uq_comment_author_id_idempotency_key UNIQUE (author_id, idempotency_key);
ALTER TABLE ONLY public.discussion
    ADD CONSTRAINT uq_discussion_site_id_key UNIQUE (site_id, key);
ALTER TABLE ONLY public.moderator
    ADD CONSTRAINT uq_moderator_name UNIQUE (name);
ALTER TABLE ONLY public.moderator
    ADD CONSTRAINT uq_moderator_token_hash UNIQUE (token_hash);
ALTER TABLE ONLY public.site
    ADD CONSTRAINT uq_site_key UNIQUE (key);
CREATE INDEX ix_comment_held ON public.comment USING btree (state, created_at, id);
CREATE INDEX ix_comment_parent_id ON public.comment USING btree (parent_id);
CREATE INDEX ix_comment_roots ON public.comment USING btree (discussion_id, parent_id, created_at, id);
CREATE INDEX ix_comment_thread ON public.comment USING btree (root_id, created_at, id);
CREATE INDEX ix_event_comment_id ON public.event USING btree (comment_id);
CREATE INDEX ix_report_comment_id ON public.report USING btree (comment_id);
ALTER TABLE ONLY public.comment
    ADD CONSTRAINT fk_comment_author_id FOREIGN KEY (author_id) REFERENCES public.author(id);
ALTER TABLE ONLY public.comment
    ADD CONSTRAINT fk_comment_discussion_id FOREIGN KEY (discussion_id) REFERENCES public.discussion(id);
ALTER TABLE ONLY public.comment
    ADD CONSTRAINT fk_comment_parent_id FOREIGN KEY (parent_id) REFERENCES public.comment(id);
ALTER TABLE ONLY public.discussion
    ADD CONSTRAINT fk_discussion_site_id FOREIGN KEY (site_id) REFERENCES public.site(id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_comment_id FOREIGN KEY (comment_id) REFERENCES public.comment(id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_discussion_id FOREIGN KEY (discussion_id) REFERENCES public.discussion(id);
ALTER TABLE ONLY public.moderator
    ADD CONSTRAINT fk_moderator_author_id FOREIGN KEY (author_id) REFERENCES public.author(id);
ALTER TABLE ONLY public.report
    ADD CONSTRAINT fk_report_comment_id FOREIGN KEY (comment_id) REFERENCES public.comment(id);
ALTER TABLE ONLY public.vote
    ADD CONSTRAINT fk_vote_comment_id FOREIGN KEY (comment_id) REFERENCES public.comment(id);
