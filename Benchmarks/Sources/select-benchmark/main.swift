// Finds the strongest edges of a random factored graph and times the bare product beside it, interleaved, on the same threads and with
// the same block shapes. The answer is checked first: as many entries as edges lie at or above the reported threshold.
//
//   swift run --package-path Benchmarks -c release select-benchmark [neurons 32768] [d 256] [edges 1000000] [threads, default all]

import Foundation
import HatchlingCompiler
import HatchlingNumerics
import Synchronization

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
func argument(_ index: Int, _ standard: Int) -> Int { numbers.count > index ? numbers[index] : standard }
let (n, d, wanted) = (argument(0, 32_768), argument(1, 256), argument(2, 1_000_000))
let workers = Workers(threads: numbers.count > 3 ? numbers[3] : nil)

func gaussian(seed: UInt64) -> Matrix<Float> {
  var random = SeededRandom(seed: seed)
  return Matrix(rows: n, columns: d, (0..<n * d).map { _ in Float(random.normal()) })
}

let graph = FactoredMatrix(left: gaussian(seed: 1), right: gaussian(seed: 2))

/// All blocks of the product and nothing else; with a threshold, how many entries reach it.
func product(counting threshold: Float? = nil) -> Int {
  let (rows, columns) = (256, 1024)
  let across = (n + columns - 1) / columns
  let blocks = ((n + rows - 1) / rows) * across
  let reached = Mutex(0)
  let scratch = Mutex<[NumberStorage<Float>]>([])
  workers.run(blocks: blocks) { block in
    let (row, column) = (block / across * rows, block % across * columns)
    let (height, width) = (min(rows, n - row), min(columns, n - column))
    let memory = scratch.withLock { $0.popLast() } ?? NumberStorage(zeros: rows * columns)
    BLAS.multiply(
      graph.left.row(row), by: graph.right.row(column), transposedB: true, into: memory.base, m: height,
      n: width, k: d)
    if let threshold {
      var count = 0
      for index in 0..<height * width { count += memory.base[index] >= threshold ? 1 : 0 }
      reached.withLock { $0 += count }
    }
    scratch.withLock { $0.append(memory) }
  }
  return reached.withLock { $0 }
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
  let elapsed = try ContinuousClock().measure(body)
  return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
}

print("n \(n), d \(d), \(n * n) entries, strongest \(wanted), \(workers.threads) threads")
let first = try graph.select(.strongest(wanted), workers: workers).edges
let threshold = first.threshold ?? .infinity
let reached = product(counting: threshold)
print("check: \(first.count) edges; \(reached) entries are at or above the weakest, \(threshold)")
guard first.count == min(wanted, reached), first.count > 0 else {
  print("the selection is wrong")
  exit(1)
}
for round in 1...3 {
  let bare = seconds { _ = product() }
  let strongest = try seconds { _ = try graph.select(.strongest(wanted), workers: workers) }
  let above = try seconds { _ = try graph.select(.atLeast(Double(threshold)), workers: workers) }
  let counted = try seconds {
    _ = try graph.select(
      .strongest(wanted), statistics: .init(bins: 200, reach: Double(threshold) * 2), workers: workers)
  }
  print(
    String(
      format:
        "round %d: product %.2f s; strongest %.2f s (%.2f ×); above β %.2f s (%.2f ×); with histogram %.2f s (%.2f ×)",
      round, bare, strongest, strongest / bare, above, above / bare, counted, counted / bare))
}
var usage = rusage()
getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
print("peak memory \(usage.ru_maxrss / 1024) MB")
