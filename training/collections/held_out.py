"""Families that training leaves out whole: does the encoder know things nobody showed it?

One in ten, spread over the groups. Each is one of a kind that training does see, so that an honest
generaliser has a chance: other rings beside the halo ring, other valves beside the gate valve.
"""

HELD_OUT_FAMILIES = frozenset(
    (
        # jewelry
        "halo_ring",
        "chevron_ring",
        "star_pendant",
        "motif_stud",
        "tennis_bracelet",
        "curb_chain",
        # fasteners
        "flange_bolt",
        "button_head_screw",
        "square_nut",
        "fender_washer",
        "blind_rivet",
        # transmission
        "helical_gear",
        "v_pulley",
        "splined_shaft",
        "needle_bearing",
        "rigid_coupling",
        # structure
        "u_bracket",
        "t_profile",
        "star_knob",
        "s_hook",
        # piping
        "slip_on_flange",
        "elbow_45",
        "gate_valve",
        # everyday
        "twisted_vase",
        "chess_bishop",
        "poly_dice",
        "jar",
        # furniture
        "round_table",
    )
)
