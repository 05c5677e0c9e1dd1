# Monthly sales report from the shop's CSV export
import sys

import pandas as pd


def load_orders(path):
    df = pd.read_csv(path, parse_dates=["order_date"])
    df.columns = df.columns.str.strip().str.lower()
    df = df.drop_duplicates(subset="order_id")
    df["quantity"] = df["quantity"].fillna(1).astype(int)
    df["total"] = df["quantity"] * df["unit_price"]
    return df


def clean(df):
    # cancelled orders and test customers do not count
    df = df[df["status"] != "cancelled"]
    df = df[~df["customer"].str.startswith("test_")]
    return df.reset_index(drop=True)


def monthly_totals(df):
    df["month"] = df["order_date"].dt.to_period("M")
    monthly = df.groupby("month").agg(
        orders=("order_id", "count"),
        revenue=("total", "sum"),
        customers=("customer", "nunique"),
    )
    monthly["average_order"] = monthly["revenue"] / monthly["orders"]
    monthly["growth"] = monthly["revenue"].pct_change()
    return monthly


def top_products(df, n=10):
    return (
        df.groupby("product")["total"]
        .sum()
        .sort_values(ascending=False)
        .head(n)
    )


def main():
    if len(sys.argv) != 2:
        print("usage: sales_report.py ORDERS.csv")
        sys.exit(1)

    orders = clean(load_orders(sys.argv[1]))
    print(f"{len(orders)} orders loaded")

    monthly = monthly_totals(orders)
    print(monthly.round(2).to_string())

    print("\nTop products:")
    for product, total in top_products(orders).items():
        print(f"  {product:<30} {total:>10.2f}")

    monthly.to_csv("monthly.csv")
    with pd.ExcelWriter("report.xlsx") as writer:
        monthly.to_excel(writer, sheet_name="Monthly")
        top_products(orders, 50).to_excel(writer, sheet_name="Products")


if __name__ == "__main__":
    main()
