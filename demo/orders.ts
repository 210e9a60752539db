/** An order of a web shop, as its JSON goes through the stream. */
export interface Order {
  readonly orderId: string
  readonly customerId: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly priceCents: number }[]
  readonly totalCents: number
  readonly currency: 'EUR'
}

const goods = [
  { sku: 'TEA-EARL-GREY-100', priceCents: 890 },
  { sku: 'TEAPOT-1200ML', priceCents: 3_450 },
  { sku: 'CUP-STONEWARE', priceCents: 1_290 },
  { sku: 'HONEY-LIME-500', priceCents: 1_120 },
  { sku: 'BISCUITS-OAT', priceCents: 345 },
] as const

/** The order of this number: always the same one. */
export function orderOf(number: number): Order {
  const lines = goods
    .filter((_, index) => (number + index) % 3 === 0)
    .map(({ sku, priceCents }, index) => ({ sku, quantity: 1 + ((number + index) % 4), priceCents }))
  return {
    orderId: `order-${String(number).padStart(6, '0')}`,
    customerId: `customer-${(number * 7_919) % 499}`,
    lines,
    totalCents: lines.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0),
    currency: 'EUR',
  }
}
