import CBandwidth
import Foundation
import HatchlingNumerics

/// What the machine's memory gives, in bytes per second, with a number of threads.
struct Bandwidth: Codable {
  let threads: Int
  /// The best reading pattern, and the best pattern that can write computed numbers: bounds from them cannot be too easy. Filling
  /// memory with one constant (memset) can be faster still, but no network writes constants; it is among `patterns`.
  let read: Double
  let write: Double
  /// Bytes read and written by going through memory in place.
  let update: Double
  let patterns: [String: Double]

  /// Seconds that `traffic` takes at best.
  func seconds(for traffic: Traffic) -> Double { traffic.read / read + traffic.written / write }

  /// Goes through memory far larger than any cache, every pattern `runs` times, and keeps each pattern's fastest pass.
  static func measure(threads: Int, runs: Int = 5) -> Bandwidth {
    let bytes = 768 << 20
    let memory = NumberStorage<Float>(zeros: bytes / 4)
    let workers = Workers(threads: threads)
    let part = bytes / threads / 4096 * 4096
    nonisolated(unsafe) let base = memory.base
    func pass(_ pattern: bandwidth_pattern) -> Double {
      let sums = NumberStorage<Float>(zeros: threads * 16)
      let time = elapsed {
        workers.run(blocks: threads) { block in
          sums.base[block * 16] = bandwidth_pass(pattern, base + block * part / 4, part)
        }
      }
      return time
    }
    _ = pass(WRITE_STORES)  // touch every page
    var best: [UInt32: Double] = [:]
    for _ in 0..<runs {
      for pattern in 0..<BANDWIDTH_PATTERNS.rawValue {
        let rate = Double(part * threads) / pass(bandwidth_pattern(pattern))
        best[pattern] = max(best[pattern] ?? 0, rate)
      }
    }
    func top(_ patterns: [bandwidth_pattern]) -> Double {
      patterns.compactMap { best[$0.rawValue] }.max() ?? 0
    }
    return Bandwidth(
      threads: threads, read: top([READ_STREAM, READ_FOUR_STREAMS, READ_PREFETCHED]),
      write: top([WRITE_STORES, WRITE_PAST_CACHE, WRITE_COPIES]), update: 2 * top([UPDATE]),
      patterns: Dictionary(
        uniqueKeysWithValues: best.map {
          (String(cString: bandwidth_pattern_name(bandwidth_pattern($0.key))), $0.value)
        }))
  }
}

/// Bytes that one token moves between memory and processor.
struct Traffic: Codable {
  var read = 0.0
  var written = 0.0
}

/// Wall-clock seconds of one call.
func elapsed(_ work: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let duration = try clock.measure(work)
  return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}
