import HatchlingGraph
import HatchlingModel

extension LocalRules {
  /// Round 4l + 3: X̃ = R_t X, every neuron by its own rule from its partner's X and its own clock.
  ///
  /// - Parameter x: `(n)`. Cost: n.
  static func rotate(_ x: [Scalar], of neurons: NeuronPopulation, phases: Phases, at position: Int)
    -> [Scalar]
  {
    guard neurons.rotates else { return x }
    var (cosines, sines) = (x, x)
    cosines.withUnsafeMutableBufferPointer { cosines in
      sines.withUnsafeMutableBufferPointer { sines in
        guard let cosines = cosines.baseAddress, let sines = sines.baseAddress else { return }
        phases.fill(cosines: cosines, sines: sines, at: position)
      }
    }
    return x.indices.map { neuron in
      let partner = Int(neurons.partners[neuron])
      guard partner >= 0 else { return x[neuron] }
      return rotate(
        own: x[neuron], partner: x[partner], edge: neurons.leads[neuron] ? .inhibitory : .excitatory,
        clock: ClockView(cosine: cosines[neuron], sine: sines[neuron]))
    }
  }
}
