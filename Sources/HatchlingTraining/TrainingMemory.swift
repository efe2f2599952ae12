import HatchlingModel

/// What a training run holds in memory, in bytes. Linear in the block length; no square of it anywhere.
public struct TrainingMemory: Equatable, Sendable {
  /// Weights, gradients and the optimiser's two means.
  public let parameters: Int
  /// What the forward pass keeps for the backward pass, the lists of active neurons full to the last place.
  public let activity: Int
  /// ρ at the beginning of every chunk, and between blocks.
  public let plasticState: Int
  /// What the backward pass works on.
  public let workspace: Int

  public var total: Int { parameters + activity + plasticState + workspace }

  /// - Parameter bytes: of one number, 4 for float.
  public init(_ sizes: Hyperparameters, _ options: TrainingOptions, bytes: Int = 4) {
    let shape = PassShape(batch: options.batch, block: options.block, chunk: options.chunk)
    let (n, d, heads, layers) = (
      sizes.neurons, sizes.synapticDimension, sizes.heads, sizes.layers
    )
    let rows = shape.rows
    parameters = 4 * sizes.parameters * bytes
    let lists = sizes.variant.accumulatesActivity ? 3 : 2
    let perLayer =
      rows * n * (4 * bytes + lists * 4) + rows * (heads * d + heads + heads * shape.chunk + 2 * d + 2)
      * bytes
    activity =
      layers * perLayer
      + rows * (d + 1 + 2 * sizes.neuronsPerHead + sizes.vocabulary) * bytes + rows * 8
    plasticState = (layers * (shape.chunks + 1) + (options.carry ? layers : 0)) * shape.batch * n * d * bytes
    let lanes = min(8, shape.batch * heads)
    workspace =
      rows * (3 * n + (2 * heads + 2) * d) * bytes + shape.batch * n * bytes
      + lanes * (6 * shape.chunk + 2 * d) * sizes.neuronsPerHead * bytes
      + lanes * 2 * shape.chunk * shape.chunk * bytes
  }
}
