/// What must hold of the neurons of every graph form; each property says what is wrong, or nil.
extension NeuronPopulation {
  /// Heads tile the neurons.
  var headViolation: String? {
    var next = 0
    for (head, range) in heads.enumerated() {
      if range.lowerBound != next { return "head \(head) starts at \(range.lowerBound), not \(next)" }
      if range.isEmpty && part == nil { return "head \(head) has no neurons" }
      next = range.upperBound
    }
    if let part, part.neurons.count != count { return "\(count) neurons for \(part.neurons)" }
    return next == count ? nil : "heads cover \(next) of \(count) neurons"
  }

  /// Partners are mutual and share a head.
  var partnerViolation: String? {
    guard partners.count == count, leads.count == count else { return "\(partners.count) partners" }
    for range in heads {
      for neuron in range where partners[neuron] >= 0 {
        let partner = Int(partners[neuron])
        guard range.contains(partner), partner != neuron else {
          return "neuron \(neuron) is paired with \(partner), outside its head"
        }
        guard Int(partners[partner]) == neuron else { return "neurons \(neuron) and \(partner) disagree" }
        guard leads[neuron] != leads[partner] else {
          return "neurons \(neuron) and \(partner) do not agree on who leads the pair"
        }
      }
    }
    return nil
  }

  /// Clocks and damping are in range.
  var clockViolation: String? {
    guard damping.count == count else { return "\(damping.count) damping values" }
    for neuron in 0..<count {
      if !frequencies[neuron].isFinite { return "the clock of neuron \(neuron) is not finite" }
      if !(0...1).contains(damping[neuron]) {
        return "the damping of neuron \(neuron) is \(damping[neuron]), not between 0 and 1"
      }
      if partners[neuron] < 0 && frequencies[neuron] != 0 {
        return "neuron \(neuron) has a running clock but no partner"
      }
    }
    return nil
  }
}
