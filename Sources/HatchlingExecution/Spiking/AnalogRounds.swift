import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What particles of a network on spikes compute alone, between phases.
enum AnalogRounds<Scalar: NetworkScalar> {
  private typealias Rules = DragonRules<Scalar>

  /// Rule `activateX`: the drive that has arrived is the membrane of a neuron that can only excite.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func activateX(
    _ drive: UnsafePointer<Scalar>, _ x: UnsafeMutablePointer<Scalar>, _ count: Int, accumulates: Bool
  ) {
    for neuron in 0..<count {
      x[neuron] = Rules.activateX(drive: drive[neuron], previous: accumulates ? x[neuron] : 0)
      // A NaN must not look like silence.
      if !drive[neuron].isFinite { x[neuron] = drive[neuron] }
    }
  }

  /// Rule `rotate`, from what x said; a neuron without a partner says its own x.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func rotate(
    _ x: UnsafePointer<Scalar>, _ partners: UnsafeBufferPointer<Int32>, _ leads: UnsafeBufferPointer<Bool>,
    _ cosines: UnsafePointer<Scalar>, _ sines: UnsafePointer<Scalar>,
    into rotated: UnsafeMutablePointer<Scalar>
  ) {
    for neuron in 0..<partners.count {
      let partner = Int(partners[neuron])
      rotated[neuron] =
        partner < 0
        ? x[neuron]
        : Rules.rotate(
          own: x[neuron], partner: x[partner], edge: leads[neuron] ? .inhibitory : .excitatory,
          clock: ClockView(cosine: cosines[neuron], sine: sines[neuron]))
    }
  }

  /// Rule `activateY`, spike by spike: each spike of x adds its weight times what has arrived at the neuron to the membrane of its y.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func gate(
    _ who: UnsafePointer<Int32>, _ spikes: UnsafePointer<Scalar>, _ count: Int,
    _ drive: UnsafePointer<Scalar>,
    into y: UnsafeMutablePointer<Scalar>
  ) {
    for spike in 0..<count {
      let neuron = Int(who[spike])
      let gated = Rules.activateY(drive: drive[neuron], x: spikes[spike])
      y[neuron] += drive[neuron].isFinite ? gated : drive[neuron]
    }
  }

  /// Rule `normalise`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func normalise(_ values: UnsafeMutablePointer<Scalar>, _ count: Int, _ answer: Broadcast<Scalar>) {
    for place in 0..<count { values[place] = Rules.normalise(values[place], answer) }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func answer(to values: UnsafePointer<Scalar>, _ count: Int, isCentred: Bool) -> Broadcast<Scalar> {
    NormaliserNode.answer(to: UnsafeBufferPointer(start: values, count: count).span, isCentred: isCentred)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func add(_ values: UnsafePointer<Scalar>, _ count: Int, to sum: UnsafeMutablePointer<Scalar>) {
    for place in 0..<count { sum[place] += values[place] }
  }
}
