/// The neurons that one of several machines holds: some in a row, whatever heads they belong to; perhaps none.
public struct NeuronPart: Hashable, Sendable {
  /// Their numbers in the whole network.
  public let neurons: Range<Int>
  /// n, all neurons of all machines.
  public let whole: Int

  public init(_ neurons: Range<Int>, of whole: Int) {
    precondition(neurons.lowerBound >= 0 && neurons.upperBound <= whole, "\(neurons) of \(whole) neurons")
    (self.neurons, self.whole) = (neurons, whole)
  }
}

/// Which neurons of a network of these sizes to load.
public typealias NeuronChoice = (Hyperparameters) -> Range<Int>
