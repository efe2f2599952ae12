/// How unevenly sizes are shared out.
struct Concentration: Sendable, Equatable {
  let count: Int
  /// Values that are not 0.
  let filled: Int
  /// Gini's index of the sizes: 0 where all are equal, 1 − 1/count where one has everything. NaN where all are 0.
  let gini: Double
  /// What the largest 1 % have of the sum, at least one of them.
  let topPercent: Double

  /// Of the magnitudes. Cost: a sort.
  init(_ values: [Float]) {
    let sizes = values.map(\.magnitude).sorted()
    count = sizes.count
    filled = sizes.count { $0 > 0 }
    var (sum, weighted) = (0.0, 0.0)
    for (place, size) in sizes.enumerated() {
      sum += Double(size)
      weighted += Double(place + 1) * Double(size)
    }
    let n = Double(count)
    gini = 2 * weighted / (n * sum) - (n + 1) / n
    topPercent = sizes.suffix(max(1, count / 100)).reduce(0) { $0 + Double($1) } / sum
  }

  var json: JSONObject {
    ["entries": count, "filled": filled, "gini": gini, "top_percent_share": topPercent]
  }
}
