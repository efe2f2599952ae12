import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What is to be recorded, and at which tokens.
public struct RecordingRequest: Sendable {
  public var quantities: [RecordedQuantity]
  /// 1 … L; nil for all.
  public var layers: Set<Int>?
  /// The neurons whose x, x̃, y and drives are recorded, ascending; nil for all.
  public var neurons: [Int]?
  public var synapses: [LayerSynapse] = []
  /// Whose spikes are recorded, sub-step by sub-step, by the names of ``PhaseSlot``; `all` is everyone's.
  public var spikes: [String] = []
  public var synapseQuantities: [SynapseQuantity] = [.sigma]
  /// x and y of every neuron, not only of those that fired.
  public var isDense = false
  /// SONATA and NWB: also how large x or y was at every event. Other formats hold it anyway.
  public var hasEventValues = false
  public var sampling = Sampling()
  public var time = TimeConvention.standard

  public init(_ quantities: [RecordedQuantity], layers: Set<Int>? = nil, neurons: [Int]? = nil) {
    (self.quantities, self.layers, self.neurons) = (quantities, layers, neurons)
  }
}

/// Which tokens, and which numbers of them, are recorded.
public struct Sampling: Sendable, Hashable {
  /// Every k-th token.
  public var every = 1
  /// Only tokens whose loss under the prediction before them is larger, in nats. The first token of a stream, which nothing predicted, counts
  /// as infinitely surprising.
  public var surpriseAbove: Double?
  /// Of quantities that are recorded in full, only numbers that differ by more from the last one recorded.
  public var changeAbove: Double?
  /// Of x and y, only how many neurons fired.
  public var countsOnly = false

  public init() {}

  /// Whether tokens follow one another at a constant distance and all have the same numbers.
  public var isRegular: Bool { surpriseAbove == nil && changeAbove == nil }

  /// - Throws: ``ActivityError/outOfRange(_:value:allowed:)``.
  func check() throws(ActivityError) {
    guard every >= 1 else {
      throw .outOfRange(.every, value: "\(every)", allowed: "1 is every token, 2 every other")
    }
    for (setting, bound) in [(ActivitySetting.surprise, surpriseAbove), (.change, changeAbove)] {
      guard let bound, !(bound >= 0 && bound.isFinite) else { continue }
      throw .outOfRange(setting, value: "\(bound)", allowed: "0 or a positive number is needed")
    }
  }
}

/// Numbers of one kind and layer: a column of events, or of samples of listed entries.
public struct ActivitySeries: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// Which entries were not zero, and their values.
    case events
    /// The values of all entries.
    case samples
    /// Which entries fired in a sub-step, and the signed weights of their spikes.
    case spikes
  }

  /// `x`, `rotated`, `count_y`, `sigma` …
  public let name: String
  public let meaning: String
  public let kind: Kind
  /// 1 … L; of spikes 0 for what the token fires and for what the readout hears.
  public let layer: Int
  /// The numbers of the neurons, hubs, nodes, normalisers; of synapses their postsynaptic neurons.
  public let entries: [Int]
  /// The synapses of this layer, where it is about synapses; in the order of `entries`.
  public let synapses: [LayerSynapse]
  /// How many there are in the network.
  public let population: Int
  /// Of spikes, what they say.
  public var spoken: Quantity?

  /// `x_layer_2`, unique in a recording.
  public var title: String { "\(name)_layer_\(layer)" }
}

/// What a recording holds: what a writer writes into a file's head.
public struct RecordingDescription: Sendable {
  public let series: [ActivitySeries]
  public let sampling: Sampling
  public let hasEventValues: Bool
  public let time: TimeConvention
  public let names: ParticleNames
  /// The network's fingerprint or name.
  public let model: String
  /// The streams that are read one after another: name and tokens. Empty for a live recording.
  public let streams: [(name: String, tokens: Int)]
  /// Where spikes lie in time, and their code; nil where none are recorded.
  public var clock: SpikeClock?
  public var spikeCode: String?

  public var layers: Int { names.layers }

  /// When a sample was, in milliseconds since the recording began.
  func time<Scalar>(of sample: ActivitySample<Scalar>, token: Int) -> Double {
    let series = series[sample.series]
    guard let step = step(of: sample) else { return time.time(token: token, layer: series.layer, of: layers) }
    return clock?.time(token: token, step: step, time) ?? .nan
  }

  /// Of spikes, the step of the token.
  func step<Scalar>(of sample: ActivitySample<Scalar>) -> Int? {
    let series = series[sample.series]
    guard let clock, let substep = sample.substep, let quantity = series.spoken else { return nil }
    return clock.step(of: quantity, layer: series.layer, substep: substep, time)
  }

  /// The convention of time, in words.
  public var timeInWords: String {
    time.description + (clock.map { "; spikes: \($0.description)" } ?? "")
  }

  /// One line for a file's head.
  public var summary: String {
    let which = sampling.every == 1 ? "every token" : "every \(sampling.every)-th token"
    let bounds = [
      sampling.surpriseAbove.map { ", where its surprise exceeds \($0) nats" },
      sampling.changeAbove.map { ", numbers that changed by more than \($0)" },
    ].compactMap(\.self).joined()
    return which + bounds + (spikeCode.map { "; spikes \($0)" } ?? "")
  }
}
