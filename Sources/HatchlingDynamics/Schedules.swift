import HatchlingModel

// The two schedules: the rounds of Table 1, written once for each graph form. Operations that only one variant has are left out of the
// others, so that a schedule holds nothing that does not run.

extension Schedule {
  /// The circuit: messages take two hops, through the hubs (Claims 3, 4). The tensor form walks the same schedule.
  public static func circuit(layers: Int, variant: Variant) -> Schedule {
    let hasNorms = variant.normalises
    /// LN, where there is one.
    func normalised(_ quantity: Quantity, _ kind: NormaliserKind) -> [RoundOperation] {
      hasNorms ? [.normalise([quantity], measuring: quantity, by: kind)] : []
    }
    let newField: [RoundOperation] =
      variant.accumulatesActivity
      ? [.copy(.encoded, to: .v)] : [.add(.encoded, to: .v)] + normalised(.v, .residual)
    return Schedule(
      form: .circuit, layers: layers, variant: variant,
      input: [.fire(.token), .send(.token, over: .embedding, into: .v)] + normalised(.v, .embedding),
      rounds: [
        Round(
          kind: .drive, communication: [.send(.v, over: .x, into: .driveX)],
          computation: [.activateX, .rotate]),
        Round(kind: .read, communication: [.read(.rotated, into: .a)], computation: []),
        Round(
          kind: .reweight, communication: [.reweight(presynaptic: .v, postsynaptic: .rotated)],
          computation: [.forget]),
        Round(
          kind: .gate,
          communication: [.copy(.a, to: .heard)] + normalised(.heard, .attention)
            + [.send(.heard, over: .y, into: .driveY, listening: .x)],
          computation: [.activateY, .send(.y, over: .encoder, into: .encoded)]
            + normalised(.encoded, .encoding) + newField),
      ],
      readout: [.send(.v, over: .readout, into: .logits)])
  }

  /// The direct form: neuron to neuron (Eq. 6, Observation 4). Gains and readout go through F; what pruning cut may travel through hubs.
  /// Without hubs normalisers hear the particles that they normalise, and readouts hear the nodes.
  public static func direct(
    layers: Int, variant: Variant, remainderX: Bool = false, remainderY: Bool = false, hasHubs: Bool = true
  ) -> Schedule {
    guard hasHubs else { return withoutHubs(layers: layers, variant: variant) }
    let hasNorms = variant.normalises
    let traffic: Traffic = hasNorms ? .broadcasts : .nothing
    func normalised(_ quantities: [Quantity], _ measured: Quantity, _ kind: NormaliserKind)
      -> [RoundOperation]
    {
      hasNorms ? [.normalise(quantities, measuring: measured, by: kind)] : []
    }
    let cutX: [RoundOperation] = [
      .send(.z, over: .toRemainderX, into: .remainderX),
      .send(.remainderX, over: .fromRemainderX, into: .driveX),
    ]
    let cutY: [RoundOperation] = [
      .send(.attention, over: .toRemainderY, into: .remainderY),
      .send(.remainderY, over: .fromRemainderY, into: .driveY, listening: .x),
    ]
    let newTrace: [RoundOperation] =
      variant.accumulatesActivity
      ? [.copy(.update, to: .z), .copy(.encoded, to: .v)]
      : [.add(.update, to: .z), .add(.encoded, to: .v)] + normalised([.z, .v], .v, .residual)
    return Schedule(
      form: .direct, layers: layers, variant: variant,
      input: [.fire(.z), .send(.z, over: .field, into: .v, counted: traffic)]
        + normalised([.z, .v], .v, .embedding),
      rounds: directRounds(cutX: remainderX ? cutX : []) + [
        Round(
          kind: .gate,
          communication: [
            .send(.attention, over: .field, into: .a, counted: traffic),
            .send(.attention, over: .y, into: .driveY, listening: .x),
          ] + (remainderY ? cutY : []) + normalised([.driveY], .a, .attention),
          computation: [
            .activateY, .copy(.y, to: .update), .send(.y, over: .field, into: .encoded, counted: traffic),
          ] + normalised([.update, .encoded], .encoded, .encoding) + newTrace)
      ],
      readout: [.send(.v, over: .readout, into: .logits, counted: .broadcasts)])
  }

  /// Rounds 4l + 3, 4l and 4l + 1 of the direct form, with hubs and without.
  private static func directRounds(cutX: [RoundOperation] = []) -> [Round] {
    [
      Round(
        kind: .drive, communication: [.send(.z, over: .x, into: .driveX)] + cutX,
        computation: [.activateX, .rotate]),
      Round(kind: .read, communication: [.read(.rotated, into: .attention)], computation: []),
      Round(
        kind: .reweight, communication: [.reweight(presynaptic: .z, postsynaptic: .rotated)],
        computation: [.forget]),
    ]
  }

  private static func withoutHubs(layers: Int, variant: Variant) -> Schedule {
    func normalised(_ quantity: Quantity, _ kind: NormaliserKind) -> [RoundOperation] {
      variant.normalises ? [.normalise([quantity], measuring: quantity, by: kind)] : []
    }
    let newTrace: [RoundOperation] =
      variant.accumulatesActivity
      ? [.copy(.update, to: .z)] : [.add(.update, to: .z)] + normalised(.z, .residual)
    return Schedule(
      form: .direct, layers: layers, variant: variant,
      input: [.fire(.z)] + normalised(.z, .embedding),
      rounds: directRounds() + [
        Round(
          kind: .gate,
          communication: [.send(.attention, over: .y, into: .driveY, listening: .x)]
            + normalised(.driveY, .attention),
          computation: [.activateY, .copy(.y, to: .update)] + normalised(.update, .encoding) + newTrace)
      ],
      readout: [.send(.z, over: .traceReadout, into: .logits)])
  }
}
