/* Monthly sales reports. Run against the reporting copy, never against production:
   the last query scans all order items. */

create table customers (
  customer_id integer primary key,
  company     varchar(80) not null,
  country     char(2) not null
);

create table products (
  product_id integer primary key,
  name       varchar(120) not null,
  category   varchar(40) not null,
  unit_price numeric(10, 2) not null
);

create table orders (
  order_id    integer primary key,
  customer_id integer not null references customers (customer_id),
  ordered_at  timestamp not null,
  status      varchar(20) not null default 'new'
);

create table order_items (
  order_id   integer not null references orders (order_id),
  product_id integer not null references products (product_id),
  quantity   integer not null,
  discount   numeric(4, 2) not null default 0,
  primary key (order_id, product_id)
);

create view order_totals as
select
  o.order_id,
  o.customer_id,
  o.ordered_at,
  sum(i.quantity * p.unit_price * (1 - i.discount)) as total
from orders o
join order_items i on i.order_id = o.order_id
join products p on p.product_id = i.product_id
where o.status <> 'cancelled'
group by o.order_id, o.customer_id, o.ordered_at;

-- revenue per month and the change against the month before
with monthly as (
  select
    strftime('%Y-%m', ordered_at) as month,
    sum(total) as revenue,
    count(*) as orders
  from order_totals
  group by strftime('%Y-%m', ordered_at)
)
select
  month,
  orders,
  round(revenue, 2) as revenue,
  round(revenue - lag(revenue) over (order by month), 2) as change
from monthly
order by month;

-- top three products of each category
with ranked as (
  select
    p.category,
    p.name,
    sum(i.quantity) as sold,
    row_number() over (partition by p.category order by sum(i.quantity) desc) as place
  from order_items i
  join products p on p.product_id = i.product_id
  group by p.category, p.name
)
select category, place, name, sold
from ranked
where place <= 3
order by category, place;

-- customers by size
select
  c.company,
  c.country,
  coalesce(sum(t.total), 0) as turnover,
  case
    when coalesce(sum(t.total), 0) >= 100000 then 'key account'
    when coalesce(sum(t.total), 0) >= 10000 then 'regular'
    else 'small'
  end as segment
from customers c
left join order_totals t on t.customer_id = c.customer_id
group by c.customer_id, c.company, c.country
order by turnover desc;

-- products that did not sell at all in the last 90 days
select p.product_id, p.name
from products p
where p.product_id not in (
  select i.product_id
  from order_items i
  join orders o on o.order_id = i.order_id
  where o.ordered_at >= date('now', '-90 days')
)
order by p.name;
