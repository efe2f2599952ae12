import HatchlingNumerics

extension TensorExecutor {
  /// Reads `tokens` as one block from an empty state and shows what every neuron does at each of them, layer by layer, until `look` has
  /// seen enough. The engine's own state is neither used nor changed; no two threads may share an engine.
  ///
  /// - Parameter look: gets the layer, 1 … L, and x and y, `(tokens, n)`, which are of use during the call; false ends the reading.
  /// Cost: that of ``Run/parallel(_:)`` up to that layer. - Throws: as ``Run/read(_:chunk:)``.
  public func watch(
    _ tokens: [Int],
    _ look: @escaping (_ layer: Int, _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>) -> Bool
  ) throws {
    _ = try read(tokens, at: 0, chunk: max(1, tokens.count), carriesState: false, look: look)
  }
}
