import Foundation

/// A number with a fixed count of decimals; what rounds to 0 has no sign.
package func decimal(_ value: Double, _ places: Int = 4) -> String {
  guard value.isFinite else { return "–" }
  let text = String(format: "%.\(places)f", value)
  return text.hasPrefix("-") && !text.contains(where: { ("1"..."9").contains($0) })
    ? String(text.dropFirst()) : text
}

/// A number by its order of magnitude: three digits and a power of ten.
package func scientific(_ value: Double?) -> String {
  value.flatMap(finite).map { String(format: "%.2e", $0) } ?? "not finite"
}

/// A fraction as per cent.
package func percent(_ fraction: Double) -> String { decimal(fraction * 100, 1) + " %" }

/// `text` filled with spaces to `width`; numbers to the right.
package func padded(_ text: String, _ width: Int, right: Bool = true) -> String {
  let fill = String(repeating: " ", count: max(0, width - text.count))
  return right ? fill + text : text + fill
}

/// A count with thin groups of three digits.
package func grouped(_ count: Int) -> String {
  count.magnitude < 1000 ? String(count) : grouped(count / 1000) + String(format: " %03d", abs(count % 1000))
}

/// NaN and infinity have no JSON; they are null.
package func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }

/// A token as a person reads it: printable ASCII as itself, else an escape or its number.
package func readable(_ token: Int) -> String {
  switch token {
  case 10: "\\n"
  case 13: "\\r"
  case 9: "\\t"
  case 32: "␣"
  case 33...126: String(UnicodeScalar(UInt8(token)))
  case 0...255: String(format: "x%02X", token)
  default: String(token)
  }
}

/// What to do when long work gets on: what it is, how much is done, of how much. May be called from any thread.
public typealias WorkProgress = @Sendable (_ what: String, _ done: Int, _ total: Int) -> Void
