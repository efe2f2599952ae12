import Foundation
import HatchlingActivity
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What was counted: neurons with x, or with y, above 0 in a layer, all of them or those of one group of clocks.
struct ActivitySeriesKey: Sendable, Hashable {
  enum Quantity: String, Sendable, CaseIterable { case x, y }

  let quantity: Quantity
  /// 1 … L.
  let layer: Int
  /// 0 ..< B, the fastest clocks first; nil for all neurons.
  let bucket: Int?
}

/// Neurons grouped by the frequency of their clocks.
struct ClockBuckets: Sendable {
  /// Of every neuron its group, `(n)`.
  let bucketOf: [Int]
  let sizes: [Int]
  /// Tokens per turn of every group's fastest and slowest clock; infinite for clocks that stand still.
  let periods: [(fastest: Double, slowest: Double)]

  /// Groups of equal size, but for what does not divide; of equal clocks the lower number comes first, with its partner.
  init(_ clocks: [Float], buckets: Int) {
    let order = clocks.indices.sorted { (clocks[$1], $0) < (clocks[$0], $1) }
    let count = max(1, min(buckets, clocks.count))
    var bucketOf = [Int](repeating: 0, count: clocks.count)
    for (place, neuron) in order.enumerated() { bucketOf[neuron] = place * count / clocks.count }
    let groups = (0..<count).map { bucket in order.filter { bucketOf[$0] == bucket } }
    sizes = groups.map(\.count)
    periods = groups.map { group in
      func period(_ neuron: Int?) -> Double {
        neuron.map { clocks[$0] > 0 ? 1 / Double(clocks[$0]) : .infinity } ?? .nan
      }
      return (period(group.first), period(group.last))
    }
    self.bucketOf = bucketOf
  }
}

/// What a network did while it read: how many neurons fired at every token, which, and how surprising the tokens were.
public struct ActivityTrace: Sendable {
  struct Stream: Sendable, Equatable {
    let name: String
    /// Of all tokens that were read.
    let tokens: Range<Int>
  }

  let sizes: Hyperparameters
  let streams: [Stream]
  let tokens: [Int]
  /// The loss of every token under the prediction before it, in nats; NaN for the first of a stream.
  let surprise: [Double]
  let buckets: ClockBuckets
  /// Of every series how many fired at each token.
  let counts: [ActivitySeriesKey: [Int32]]
  /// Of x and y in every layer who fired when.
  let trains: [ActivitySeriesKey: SpikeTrains]
  /// How the plastic weights changed.
  let memory: PlasticMemory

  /// How many neurons a series could count.
  func neurons(_ key: ActivitySeriesKey) -> Int { key.bucket.map { buckets.sizes[$0] } ?? sizes.neurons }

  /// Mean active fraction over tokens.
  func activeFraction(_ key: ActivitySeriesKey, at tokens: some Collection<Int>) -> Double {
    guard let counts = counts[key] else { return .nan }
    let sum = tokens.reduce(0) { $0 + Int(counts[$1]) }
    return Double(sum) / Double(tokens.count * neurons(key))
  }

  /// x and y of all layers, all neurons.
  var wholeSeries: [ActivitySeriesKey] {
    ActivitySeriesKey.Quantity.allCases.flatMap { quantity in
      (1...sizes.layers).map { ActivitySeriesKey(quantity: quantity, layer: $0, bucket: nil) }
    }
  }
}

extension ActivityRequest {
  /// The streams that are read: the files, or every whole segment of them.
  func streams(of files: [TokenStream]) throws(ActivityStudyError) -> [TokenStream] {
    guard startsAnew else { return files }
    let parts = files.flatMap { file in
      stride(from: 0, through: file.tokens.count - segment, by: segment).map {
        TokenStream(name: file.name, tokens: Array(file.tokens[$0..<$0 + segment]))
      }
    }
    guard !parts.isEmpty else {
      throw .tooShort(tokens: files.reduce(0) { $0 + $1.tokens.count }, needed: segment)
    }
    return parts
  }
}

extension StreamReader {
  /// Reads streams, each from the beginning, and keeps who fired when. What the network computes stays the same to the last bit.
  ///
  /// - Parameters:
  ///   - clocks: f of every neuron, `(n)`, and `damping`, u of every neuron.
  ///   - afterToken: called with the number of tokens done.
  /// - Throws: ``ActivityStudyError``, `TokenError`. Cost: reading, a count per event, and 2 L n bits per token.
  func activity(
    _ request: ActivityRequest, of files: [TokenStream], clocks: [Float], damping: [Float],
    afterToken: (Int) -> Void = { _ in }
  ) throws -> ActivityTrace {
    let engine = watchable
    let (sizes, parts) = (engine.hyperparameters, try request.streams(of: files))
    let total = parts.reduce(0) { $0 + $1.tokens.count }
    let bytes = 2 * sizes.layers * SpikeTrains.bytes(neurons: sizes.neurons, tokens: total)
    let half = Int(ProcessInfo.processInfo.physicalMemory / 2)
    guard bytes <= half else {
      throw ActivityStudyError.tooLong(tokens: total, bytes: bytes, half: half)
    }
    var counter = FiringCounter(sizes, ClockBuckets(clocks, buckets: request.buckets), tokens: total)
    var memory = PlasticMemory(damping: damping, layers: sizes.layers)
    let recorder = try Recorder(RecordingRequest([.x, .y]), on: engine)
    defer { recorder.detach() }
    let series = recorder.description.series.map {
      ActivitySeriesKey(quantity: $0.name == "x" ? .x : .y, layer: $0.layer, bucket: nil)
    }
    var (streams, surprise) = ([ActivityTrace.Stream](), [Double]())
    for part in parts {
      try rewind()
      let start = surprise.count
      memory.begin(tokens: part.tokens.count)
      for token in part.tokens {
        let seen = try recorder.read(token) { try step($0) }
        for sample in seen.frame?.samples ?? [] {
          counter.count(series[sample.series], sample.entries ?? [], at: surprise.count)
        }
        surprise.append(seen.surprise ?? .nan)
        memory.look(at: engine, after: surprise.count - start)
        afterToken(surprise.count)
      }
      streams.append(.init(name: part.name, tokens: start..<surprise.count))
    }
    return ActivityTrace(
      sizes: sizes, streams: streams, tokens: parts.flatMap(\.tokens), surprise: surprise,
      buckets: counter.buckets, counts: counter.counts, trains: counter.trains, memory: memory)
  }
}

/// Counts events as they come.
private struct FiringCounter {
  let buckets: ClockBuckets
  private(set) var counts: [ActivitySeriesKey: [Int32]] = [:]
  private(set) var trains: [ActivitySeriesKey: SpikeTrains] = [:]

  init(_ sizes: Hyperparameters, _ buckets: ClockBuckets, tokens: Int) {
    self.buckets = buckets
    let groups: [Int?] = [nil] + buckets.sizes.indices.map { $0 }
    for quantity in ActivitySeriesKey.Quantity.allCases {
      for layer in 1...sizes.layers {
        for bucket in groups {
          counts[ActivitySeriesKey(quantity: quantity, layer: layer, bucket: bucket)] =
            [Int32](repeating: 0, count: tokens)
        }
        trains[ActivitySeriesKey(quantity: quantity, layer: layer, bucket: nil)] =
          SpikeTrains(neurons: sizes.neurons, tokens: tokens)
      }
    }
  }

  mutating func count(_ key: ActivitySeriesKey, _ neurons: [Int32], at token: Int) {
    var own = [Int32](repeating: 0, count: buckets.sizes.count)
    // Taken out, so that marking copies nothing and looks nothing up.
    if var train = trains.removeValue(forKey: key) {
      for neuron in neurons {
        train.mark(Int(neuron), at: token)
        own[buckets.bucketOf[Int(neuron)]] += 1
      }
      trains[key] = train
    }
    counts[key]?[token] = Int32(neurons.count)
    for (bucket, count) in own.enumerated() {
      counts[ActivitySeriesKey(quantity: key.quantity, layer: key.layer, bucket: bucket)]?[token] = count
    }
  }
}
