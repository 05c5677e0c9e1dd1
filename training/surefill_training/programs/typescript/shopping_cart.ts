export type Currency = 'EUR' | 'USD' | 'GBP'

export interface Product {
  sku: string
  title: string
  /** Price of one piece in cents. */
  price: number
  taxRate: number
}

interface CartLine {
  product: Product
  quantity: number
}

export type Discount =
  | { kind: 'percentage'; percent: number }
  | { kind: 'fixed'; amount: number }
  | { kind: 'buyXGetY'; sku: string; buy: number; free: number }

export interface Totals {
  subtotal: number
  discount: number
  tax: number
  total: number
}

const MAX_QUANTITY = 99

export class Cart {
  private lines = new Map<string, CartLine>()
  private discounts: Discount[] = []

  constructor(public readonly currency: Currency = 'EUR') {}

  add(product: Product, quantity = 1): this {
    if (!Number.isInteger(quantity) || quantity < 1) {
      throw new RangeError(`Invalid quantity: ${quantity}`)
    }
    const existing = this.lines.get(product.sku)
    const wanted = (existing?.quantity ?? 0) + quantity
    this.lines.set(product.sku, { product, quantity: Math.min(wanted, MAX_QUANTITY) })
    return this
  }

  remove(sku: string): boolean {
    return this.lines.delete(sku)
  }

  setQuantity(sku: string, quantity: number): void {
    const line = this.lines.get(sku)
    if (!line) throw new Error(`No such item in the cart: ${sku}`)
    if (quantity <= 0) {
      this.lines.delete(sku)
    } else {
      line.quantity = Math.min(quantity, MAX_QUANTITY)
    }
  }

  applyDiscount(discount: Discount): void {
    this.discounts.push(discount)
  }

  get itemCount(): number {
    let count = 0
    for (const { quantity } of this.lines.values()) count += quantity
    return count
  }

  get isEmpty(): boolean {
    return this.lines.size === 0
  }

  totals(): Totals {
    let subtotal = 0
    let tax = 0
    for (const { product, quantity } of this.lines.values()) {
      const amount = product.price * quantity
      subtotal += amount
      tax += amount * product.taxRate
    }
    const discount = Math.min(this.discountFor(subtotal), subtotal)
    // tax shrinks by the same share as the subtotal
    const share = subtotal === 0 ? 0 : (subtotal - discount) / subtotal
    tax = Math.round(tax * share)
    return { subtotal, discount, tax, total: subtotal - discount + tax }
  }

  private discountFor(subtotal: number): number {
    return this.discounts.reduce((sum, discount) => {
      switch (discount.kind) {
        case 'percentage':
          return sum + Math.round((subtotal * discount.percent) / 100)
        case 'fixed':
          return sum + discount.amount
        case 'buyXGetY': {
          const line = this.lines.get(discount.sku)
          if (!line) return sum
          const groups = Math.floor(line.quantity / (discount.buy + discount.free))
          return sum + groups * discount.free * line.product.price
        }
      }
    }, 0)
  }
}

export function formatMoney(cents: number, currency: Currency, locale = 'en-GB'): string {
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(cents / 100)
}
