/** What a machine asks for, before it has an id. */
export type Ask<E> = E extends unknown ? Omit<E, 'id'> : never

/** Puts together a step: changes to the state, and effects in order. */
export class Draft<State extends { readonly nextId: number }, MachineEffect extends { readonly type: string }> {
  state: State
  readonly effects: MachineEffect[] = []

  constructor(state: State) {
    this.state = state
  }

  set(changes: Partial<State>): void {
    this.state = { ...this.state, ...changes }
  }

  /** Asks for an effect that is answered, under an id of its own. */
  ask<const A extends Ask<MachineEffect>>(ask: A): A & { id: number } {
    const effect = { ...ask, id: this.state.nextId }
    this.state = { ...this.state, nextId: effect.id + 1 }
    this.effects.push(effect as unknown as MachineEffect)
    return effect
  }

  done(): readonly [State, readonly MachineEffect[]] {
    return [this.state, this.effects]
  }
}
